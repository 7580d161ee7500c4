// Targeted streams reach nobody else: a bystander records every packet that reaches its client.
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import * as assert from "uvu/assert";
import { suite } from "../../support/harness.ts";
import { pattern } from "../../support/bytes.ts";
import { nextBytes, nextText } from "../../support/handlers.ts";
import { bytesHeardBy, heardBy, type LiveKitRoom, LiveKitRooms, type Member } from "../../support/livekit/livekit_rooms.ts";
import { until } from "../../support/waiting.ts";
import { rejection } from "../../support/rejections.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";
import { livekit } from "../../../transports/livekit/mod.ts";
import { chunk, control, header, trailer } from "../../support/conformance/transport.ts";
import { type Asked, asked, overhear, type Overheard } from "../../support/livekit/recorder.ts";
import type { Room } from "../../support/livekit/rooms.ts";

const test = suite("privacy");
const rooms = await LiveKitRooms.start();

/** Alice and Bob are Millrace runtimes. Dave and the bystander Eve use the SDK plainly. */
interface Bystander {
  alice: Member;
  bob: Member;
  dave: Room;
  /** Packets of these senders that have reached Eve so far, without hellos to Eve. */
  overheard(): Promise<Overheard[]>;
}

test("privacy: a bystander sees no packet of streams between two runtimes, whatever they are and however they end", () =>
  withBystander(async ({ alice, bob, overheard }) => {
    const requests = await asked(async () => {
      await inTemporaryFolder(async (folder) => await sendAllKinds(alice, bob, ["bob"], folder));
      assert.equal(await overheard(), []);
    });
    assertNamed(requests, ["bob"]);
  }));

test("privacy: a bystander sees no packet of streams to a participant of another SDK", () =>
  withBystander(async ({ alice: { runtime: alice }, dave, overheard }) => {
    const texts = heardBy(dave, "t");
    const bytes = bytesHeardBy(dave, "b");
    const to = { destinationIdentities: ["dave"] };
    const requests = await asked(async () => {
      await alice.sendText("short", { ...to, topic: "t" });
      await alice.sendText("long ".repeat(10_000), { ...to, topic: "t" });
      await alice.sendBytes(pattern(50_000), { ...to, topic: "b" });
      const writer = await alice.streamText({ ...to, topic: "t" });
      await writer.write("half");
      await writer.abort("changed my mind");
      await until(() => texts.length === 3 && bytes.length === 1);
      assert.equal(await overheard(), []);
    });
    assert.equal(texts.map(({ text }) => text.length).slice(0, 2), [5, 50_000]);
    assert.ok(bytes.every((one) => Buffer.compare(one, pattern(50_000)) === 0));
    assertNamed(requests, ["dave"]);
  }));

test("privacy: a bystander sees no packet of streams to a runtime and another SDK together", () =>
  withBystander(async ({ alice, bob, dave, overheard }) => {
    const texts = heardBy(dave, "long text");
    const requests = await asked(async () => {
      await inTemporaryFolder(async (folder) => await sendAllKinds(alice, bob, ["bob", "dave"], folder));
      await until(() => texts.length === 1);
      assert.equal(await overheard(), []);
    });
    assertNamed(requests, ["bob", "dave"]);
  }));

test("privacy: a bystander sees broadcasts, packet by packet", () =>
  withBystander(async ({ alice, bob, overheard }) => {
    const received = nextBytes(bob.runtime, "b");
    const short = await alice.runtime.sendText("short", { topic: "t" });
    const long = await alice.runtime.sendBytes(pattern(50_000), { topic: "b", confirm: false });
    await (await received).readAll();
    const seen = await overheard();
    for (const { streamId } of [short, long]) {
      const whats = seen.filter((one) => one.streamId === streamId).map(({ what }) => what);
      assert.is(whats[0], "streamHeaderReceived");
      assert.ok(whats.includes("streamChunkReceived"));
      assert.is(whats.at(-1), "streamTrailerReceived");
    }
    assert.equal(new Set(seen.map(({ streamId }) => streamId)), new Set([short.streamId, long.streamId]));
  }));

test("destinationIdentities: an empty list, oneself, or departed participants are no broadcast", () =>
  withBystander(async ({ alice: { runtime: alice }, bob, overheard }) => {
    await rejection(() => alice.sendText("x", { destinationIdentities: [] }), "invalid-argument");
    await rejection(() => alice.sendText("x", { destinationIdentities: ["alice"] }), "disconnected");
    const heard = nextText(bob.runtime, "t");
    const writer = await alice.streamText({ topic: "t", destinationIdentities: ["bob"] });
    await writer.write("some");
    await heard;
    await bob.runtime.close();
    await until(() => writer.actor.getSnapshot().value === "failed");
    await rejection(() => writer.write("more"), "disconnected");
    await rejection(() => writer.close(), "disconnected");
    assert.equal(await overheard(), []);
  }));

test("LiveKitTransport.send(): an empty list of destinations is no broadcast", () =>
  rooms.in(async (fixture) => {
    const eve = await fixture.plain("eve");
    const overheard = overhear(eve);
    const room = await fixture.plain("alice");
    const transport = livekit(room);
    try {
      for (const to of [[], ["alice"]]) {
        const packets = [header("s"), chunk("s", 0, Uint8Array.of(1)), trailer("s"), control("c")];
        for (const packet of packets) await transport.send(packet, to);
      }
      await transport.send(control("for all"));
      await until(() => overheard.length > 0);
      assert.is(overheard.length, 1);
    } finally {
      await transport.close();
    }
  }));

test("privacy: goodbye goes to runtimes only, and a Room that was given back can still broadcast", () =>
  withBystander(async ({ alice, overheard }) => {
    await alice.runtime.close();
    assert.equal(await overheard(), []);
    await alice.room.localParticipant?.sendText("plain", { topic: "t" });
    assert.ok((await overheard()).length > 0);
  }));

test.after(() => rooms.close());
test.run();

async function withBystander(body: (stage: Bystander) => Promise<void>): Promise<void> {
  await rooms.in(async (fixture: LiveKitRoom) => {
    const eve = await fixture.plain("eve");
    const packets = overhear(eve);
    const dave = await fixture.plain("dave");
    const alice = await fixture.join("alice");
    const bob = await fixture.join("bob");
    await fixture.acquaint(alice, bob);
    const senders = [alice.room, bob.room, dave];
    const overheard = async (): Promise<Overheard[]> => {
      const topic = crypto.randomUUID();
      for (const room of senders) await room.localParticipant?.publishData(new Uint8Array(1), { reliable: true, topic });
      await until(() => packets.filter((packet) => packet.topic === topic).length === senders.length);
      return packets.filter((packet) => packet.what !== "dataPacketReceived" && packet.control !== "hello");
    };
    await body({ alice, bob, dave, overheard });
  });
}

/** Streams from Alice to Bob and perhaps others, of all kinds and with all ends. */
async function sendAllKinds({ runtime: alice }: Member, { runtime: bob }: Member, to: string[], folder: string): Promise<void> {
  const path = join(folder, "report.txt");
  await writeFile(path, "a report ".repeat(5_000));
  const read: number[] = [];
  for (const topic of ["short text", "long text", "tokens", "with files"]) {
    bob.registerTextStreamHandler(topic, async (reader) => void read.push((await reader.readAll()).length));
  }
  for (const topic of ["short bytes", "long bytes", "parts", "file", "with files"]) {
    bob.registerByteStreamHandler(topic, async (reader) => void read.push((await reader.readAll()).length));
  }
  const all = { destinationIdentities: to };
  const { streamId } = await alice.sendText("short", { ...all, topic: "short text", confirm: true });
  await alice.sendText("long ".repeat(10_000), { ...all, topic: "long text", replyToId: streamId, confirm: true });
  await alice.sendBytes(pattern(10), { ...all, topic: "short bytes" });
  await alice.sendBytes(pattern(60_000), { ...all, topic: "long bytes", senderIdentity: "someone" });
  await alice.sendBytes(parts(), { ...all, topic: "parts" });
  await alice.sendFile(path, { ...all, topic: "file" });
  const files = [path, new File(["small"], "small.txt")];
  await alice.sendText("see these", { ...all, topic: "with files", attachments: files, attributes: { a: "1" } });
  const writer = await alice.streamText({ ...all, topic: "tokens", confirm: true });
  for (const token of ["one ", "two ", "three"]) await writer.write(token);
  await writer.close({ reason: "done", attributes: { tokens: "3" } });
  await until(() => read.length === 10);

  const aborted = nextText(bob, "aborted");
  const halfway = await alice.streamText({ ...all, topic: "aborted" });
  await halfway.write("half");
  await halfway.abort("changed my mind");
  await rejection(async () => await (await aborted).readAll(), "aborted");

  const controller = new AbortController();
  const withdrawn = nextBytes(bob, "withdrawn");
  const bytes = await alice.streamBytes({ ...all, topic: "withdrawn", signal: controller.signal });
  await bytes.write(pattern(30_000));
  controller.abort();
  await rejection(async () => await (await withdrawn).readAll(), "aborted");

  bob.registerByteStreamHandler("cancelled", async (reader) => await reader.cancel("not that"));
  await rejection(() => alice.sendBytes(parts(100), { ...all, topic: "cancelled" }), "cancelled");
}

async function* parts(count = 3): AsyncGenerator<Uint8Array, void, undefined> {
  for (let part = 0; part < count; part++) yield await Promise.resolve(pattern(20_000, part));
}

/**
 * Each request names just these. Exceptions are control packets, which are for one of them or a newcomer, and packets that a sender sends
 * to itself after a long wait.
 */
function assertNamed(requests: readonly Asked[], to: readonly string[]): void {
  assert.ok(requests.length > 10);
  for (const request of requests) {
    assert.is.not(request.to.length, 0, `${request.what} ${request.streamId}`);
    if (request.streamId === "millrace.control") assert.is(request.to.length, 1);
    else if (request.streamId === "") assert.ok(["alice", "bob"].includes(request.to.join()));
    else assert.ok(request.to.every((identity) => to.includes(identity)), `${request.what} to ${request.to.join(", ")}`);
  }
}
