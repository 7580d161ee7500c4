// Millrace runtimes and plain SDK participants in one room: one handler gets each stream, once.
import { Buffer } from "node:buffer";
import * as assert from "uvu/assert";
import { suite } from "../../support/harness.ts";
import { pattern } from "../../support/bytes.ts";
import { collectTexts, nextBytes, nextText, nextWhole } from "../../support/handlers.ts";
import { bytesHeardBy, heardBy, LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { until } from "../../support/waiting.ts";
import { rejection } from "../../support/rejections.ts";
import type { Room } from "../../support/livekit/rooms.ts";

const test = suite("handlers in a room");
const rooms = await LiveKitRooms.start();

/** Time-out of a stream of another SDK without a handler, in ms. */
const UNCLAIMED_MS = 60_000;

test("Room handlers: a stream of another SDK on a topic that the Room handles goes there, not to the runtime", () =>
  rooms.in(async (fixture) => {
    const dave = await fixture.plain("dave");
    const { runtime: alice, room } = await fixture.join("alice");
    const texts = { runtime: collectTexts(alice, "x"), room: heardBy(room, "x") };
    const bytes = { runtime: collectBytes(alice, "x"), room: bytesHeardBy(room, "x") };
    for (const text of ["short", "long ".repeat(10_000)]) {
      await dave.localParticipant?.sendText(text, { topic: "x" });
      await dave.localParticipant?.sendText(text, { topic: "other" });
    }
    await sendBytes(dave, "x", pattern(50_000));
    await until(() => texts.room.length === 2 && bytes.room.length === 1);
    assert.equal(texts.room.map(({ from, text }) => [from, text.length]), [["dave", 5], ["dave", 50_000]]);
    assertSame(bytes.room, pattern(50_000));
    await settled(dave, alice);
    assert.equal(texts.runtime, []);
    assert.equal(bytes.runtime, []);
  }));

test("Room handlers: a text handler leaves bytes and other topics to the runtime; removed, it leaves its topic too", () =>
  rooms.in(async (fixture) => {
    const dave = await fixture.plain("dave");
    const { runtime: alice, room } = await fixture.join("alice");
    const onRoom = heardBy(room, "x");
    const bytes = collectBytes(alice, "x");
    const texts = collectTexts(alice, "x");
    const others = collectTexts(alice, "y");
    await sendBytes(dave, "x", pattern(10));
    await dave.localParticipant?.sendText("for y", { topic: "y" });
    await until(() => bytes.length === 1 && others.length === 1);
    room.unregisterTextStreamHandler("x");
    await dave.localParticipant?.sendText("for x", { topic: "x" });
    await until(() => texts.length === 1);
    assert.equal(onRoom, []);
    assert.equal([texts, others], [["for x"], ["for y"]]);
  }));

test("Room handlers: none is called between runtimes, whatever the topic; the runtime's handler is called once", () =>
  rooms.in(async (fixture) => {
    const alice = await fixture.join("alice");
    const bob = await fixture.join("bob");
    await fixture.acquaint(alice, bob);
    const onRoom = ["t", "millrace", ""].flatMap((topic) => [heardBy(bob.room, topic), bytesHeardBy(bob.room, topic)]);
    const texts = collectTexts(bob.runtime, "t");
    const bytes = collectBytes(bob.runtime, "t");
    for (const destinationIdentities of [undefined, ["bob"]]) {
      const to = { topic: "t", confirm: true, ...(destinationIdentities === undefined ? {} : { destinationIdentities }) };
      await alice.runtime.sendText("short", to);
      await alice.runtime.sendText("long ".repeat(10_000), to);
      await alice.runtime.sendBytes(pattern(50_000), to);
      const writer = await alice.runtime.streamText(to);
      for (const token of ["to", "ken", "s"]) await writer.write(token);
      await writer.close();
    }
    assert.equal(texts.map(({ length }) => length), [5, 50_000, 6, 5, 50_000, 6]);
    assert.is(bytes.length, 2);
    await settled(alice.room, bob.runtime);
    assert.equal(onRoom.map(({ length }) => length), onRoom.map(() => 0));
  }));

test("Room handlers: a mixed broadcast reaches each participant once: runtimes by their handler, other SDKs by theirs", () =>
  rooms.in(async (fixture) => {
    const dave = await fixture.plain("dave");
    const alice = await fixture.join("alice");
    const bob = await fixture.join("bob");
    await fixture.acquaint(alice, bob);
    const toDave = heardBy(dave, "t");
    const bytesToDave = bytesHeardBy(dave, "t");
    const onBobsRoom = heardBy(bob.room, "t");
    const bytesOnBobsRoom = bytesHeardBy(bob.room, "t");
    const texts = collectTexts(bob.runtime, "t");
    const bytes = collectBytes(bob.runtime, "t");
    const { receipts } = await alice.runtime.sendText("short", { topic: "t", attributes: { a: "1" }, confirm: true });
    assert.equal(receipts, [{ identity: "bob", bytes: 5 }]);
    await alice.runtime.sendText("long ".repeat(10_000), { topic: "t", confirm: true });
    await alice.runtime.sendBytes(pattern(100_000), { topic: "t" });
    const writer = await alice.runtime.streamText({ topic: "t", confirm: true });
    for (const token of ["to", "ken", "s"]) await writer.write(token);
    await writer.close({ attributes: { tokens: "3" } });
    await until(() => toDave.length === 3 && bytesToDave.length === 1);
    await settled(alice.room, bob.runtime);
    assert.equal(toDave.map(({ from, text }) => [from, text.length]), [["alice", 5], ["alice", 50_000], ["alice", 6]]);
    assert.is(toDave[0]?.attributes["a"], "1");
    assertSame(bytesToDave, pattern(100_000));
    assert.equal(texts.map(({ length }) => length), [5, 50_000, 6]);
    assertSame(bytes, pattern(100_000));
    assert.equal([onBobsRoom.length, bytesOnBobsRoom.length], [0, 0]);
  }));

test("late handlers: a stream of another SDK is held for its handler, in each form", () =>
  rooms.in(async (fixture) => {
    const dave = await fixture.plain("dave");
    const { runtime: alice, errors } = await fixture.join("alice", { limits: { unclaimedTimeout: UNCLAIMED_MS } });
    const random = Array.from(pattern(30_000), (byte) => String.fromCharCode(33 + byte % 90)).join("");
    const texts = ["short", "alike ".repeat(20_000), random];
    for (const [i, text] of texts.entries()) await dave.localParticipant?.sendText(text, { topic: `t${i}` });
    await sendText(dave, "v1", ["in ", "parts"]);
    await sendBytes(dave, "b", pattern(100_000));
    await settled(dave, alice);
    for (const [i, text] of texts.entries()) assert.ok(await (await nextText(alice, `t${i}`)).readAll() === text);
    assert.is(await (await nextText(alice, "v1")).readAll(), "in parts");
    assertSame([await nextWhole(alice, "b")], pattern(100_000));
    assert.equal(errors, []);
  }));

test("unclaimedTimeout: a stream of another SDK without a handler is given up", () =>
  rooms.in(async (fixture) => {
    const dave = await fixture.plain("dave");
    let givenUp = false;
    const { runtime: alice } = await fixture.join("alice", {
      limits: { unclaimedTimeout: 1 },
      inspect: (event) => givenUp ||= event.type === "@xstate.snapshot" && valueOf(event.snapshot) === "failed",
    });
    await dave.localParticipant?.sendText("to nobody", { topic: "t" });
    await until(() => givenUp);
    const texts = collectTexts(alice, "t");
    await dave.localParticipant?.sendText("to alice", { topic: "t" });
    await until(() => texts.length === 1);
    assert.equal(texts, ["to alice"]);
  }));

test("foreignQueue: data of another SDK to a reader that does not read is held up to that size", () =>
  rooms.in(async (fixture) => {
    const dave = await fixture.plain("dave");
    const { runtime: alice } = await fixture.join("alice", { limits: { foreignQueue: 60_000 } });
    const kept = nextBytes(alice, "kept");
    await sendBytes(dave, "kept", pattern(60_000));
    const keptReader = await kept;
    const dropped = nextBytes(alice, "dropped");
    await sendBytes(dave, "dropped", pattern(60_001));
    const droppedReader = await dropped;
    await until(() => droppedReader.actor.getSnapshot().value === "failed");
    assertSame([await keptReader.readAll()], pattern(60_000));
    await rejection(() => droppedReader.readAll(), "too-large");
    const after = nextBytes(alice, "after");
    await sendBytes(dave, "after", pattern(10));
    assert.equal(await (await after).readAll(), pattern(10));
  }));

test("identity: the sender of a stream is who the server says, whatever the sender states", () =>
  rooms.in(async (fixture) => {
    const dave = await fixture.plain("dave");
    const alice = await fixture.join("alice");
    const bob = await fixture.join("bob");
    await fixture.acquaint(alice, bob);
    const toDave = heardBy(dave, "t");
    const senders: string[] = [];
    bob.runtime.registerTextStreamHandler("t", async (reader, { identity }) => {
      senders.push(identity);
      await reader.readAll();
    });
    for (const destinationIdentities of [["bob"], ["bob", "dave"], ["dave"]]) {
      await alice.runtime.sendText("x", { topic: "t", senderIdentity: "the king", destinationIdentities });
    }
    await until(() => toDave.length === 2 && senders.length === 2);
    assert.equal(senders, ["alice", "alice"]);
    assert.equal(toDave.map(({ from }) => from), ["alice", "alice"]);
  }));

test.after(() => rooms.close());
test.run();

function valueOf(snapshot: unknown): unknown {
  return (snapshot as { value?: unknown }).value;
}

/** Bytes of the streams of a topic, each added when whole. */
function collectBytes(runtime: Parameters<typeof nextBytes>[0], topic: string): Uint8Array[] {
  const all: Uint8Array[] = [];
  runtime.registerByteStreamHandler(topic, async (reader) => void all.push(await reader.readAll()));
  return all;
}

/** Asserts that there is exactly one array, of these bytes. The message of a failure is short. */
function assertSame(received: readonly Uint8Array[], sent: Uint8Array): void {
  assert.equal(received.map(({ length }) => length), [sent.length]);
  assert.ok(received.every((bytes) => Buffer.compare(bytes, sent) === 0));
}

async function sendText(room: Room, topic: string, parts: readonly string[]): Promise<void> {
  const writer = await room.localParticipant?.streamText({ topic });
  for (const part of parts) await writer?.write(part);
  await writer?.close();
}

async function sendBytes(room: Room, topic: string, bytes: Uint8Array): Promise<void> {
  const writer = await room.localParticipant?.streamBytes({ topic, totalSize: bytes.length });
  await writer?.write(bytes);
  await writer?.close();
}

/** Resolves when a runtime has received every packet that a Room's participant has sent before. */
async function settled(sender: Room, receiver: Parameters<typeof nextText>[0]): Promise<void> {
  const topic = crypto.randomUUID();
  const last = nextText(receiver, topic);
  await sendText(sender, topic, ["last"]);
  await (await last).readAll();
}
