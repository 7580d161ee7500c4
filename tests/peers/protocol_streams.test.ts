// Rules of PROTOCOL.md for open and ended streams, seen from a participant who obeys them, or does not.
import * as assert from "uvu/assert";
import type { ReceivingState, SendingState } from "../../protocol/wire/control.ts";
import { encodeTrailer } from "../../protocol/wire/extension.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { last } from "../support/handlers.ts";
import { sendingToHostilePeer, withHostilePeer } from "../support/hub/hostile_peer.ts";
import { inVirtualTime } from "../support/hub/hub_fixture.ts";
import { digestOf, frame, type RawParticipant } from "../support/hub/raw_participant.ts";

const test = suite("protocol: streams");

const TO_EVE = { topic: "t", destinationIdentities: ["eve"] };

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error(`Cannot find item ${index}: there are ${list.length}`);
  return item;
}

function row(change: Partial<ReceivingState> = {}): ReceivingState {
  return { sequence: 0, claim: "claimed", credit: 1_000_000, received: 0, taken: 0, ...change };
}

/** Rows of `s` that have come about a stream. */
function answers(hostilePeer: RawParticipant, sequence = 0): SendingState[] {
  return hostilePeer.statesFrom("alice").flatMap(({ sending }) => sending.filter((one) => one.sequence === sequence));
}

test("receipt: without a digest confirms nothing", () =>
  sendingToHostilePeer(async (room, alice, hostilePeer) => {
    const sending = alice.runtime.sendBytes(pattern(100), TO_EVE);
    sending.catch(() => {});
    await room.time.advance(20);
    hostilePeer.state("alice", { receiving: [row({ received: 100, taken: 100, end: "done" })] });
    await room.time.advance(20);
    hostilePeer.state("alice", { receiving: [row({ received: 100, taken: 100, end: "done", digest: digestOf(pattern(100)) })] });
    const { receipts } = await room.time.run(sending);
    assert.equal(receipts, [{ identity: "eve", bytes: 100 }]);
    const unconfirmed = alice.runtime.sendBytes(pattern(100), TO_EVE);
    unconfirmed.catch(() => {});
    await room.time.advance(20);
    hostilePeer.state("alice", { receiving: [row({ sequence: 1, received: 100, taken: 100, end: "done" })] });
    await rejection(() => room.time.run(unconfirmed), "timeout");
  }));

test("receiving state: a code that receivers do not have counts as cancelled at the sender", () =>
  sendingToHostilePeer(async (room, alice, hostilePeer) => {
    for (const [sequence, end] of (["invalid-argument", "aborted", "closed", "transport", "file-error"] as const).entries()) {
      const sending = alice.runtime.sendBytes(pattern(100), TO_EVE);
      sending.catch(() => {});
      await room.time.advance(20);
      hostilePeer.state("alice", { receiving: [row({ sequence, end, reason: "why" })] });
      const error = await rejection(() => room.time.run(sending), end === "file-error" ? end : "cancelled");
      assert.is(error.reason, "why");
    }
  }));

test("sending state: a code that senders do not have counts as aborted at the reader, also in trailers", () =>
  withHostilePeer(async ({ room, hostilePeer, readers }) => {
    for (const [sequence, end] of (["corrupt", "invalid-argument", "cancelled", "timeout"] as const).entries()) {
      const code = end === "timeout" ? end : "aborted";
      hostilePeer.open("bob", `row ${end}`, 2 * sequence);
      hostilePeer.state("bob", { sending: [{ sequence: 2 * sequence, final: 0, end }] });
      await room.time.advance(1);
      await rejection(() => last(readers).readAll(), code);
      hostilePeer.open("bob", `trailer ${end}`, 2 * sequence + 1);
      hostilePeer.trailer("bob", `trailer ${end}`, { bytes: 0, chunks: 0, digest: "", code: end });
      await room.time.advance(1);
      await rejection(() => room.time.run(last(readers).readAll()), code);
    }
  }));

test("receiving state: one with an error is answered with how far that receiver was sent to", () =>
  sendingToHostilePeer(async (room, alice, hostilePeer) => {
    const writer = await room.time.run(alice.runtime.streamBytes(TO_EVE));
    await room.time.run(writer.write(pattern(20_000)));
    await room.time.advance(20);
    hostilePeer.state("alice", { receiving: [row({ received: 20_000, taken: 5_000, end: "file-error" })] });
    await room.time.advance(1);
    assert.equal(answers(hostilePeer).map(({ final }) => final).at(-1), 20_000);
    assert.ok(["aborted", "incomplete", "timeout", "disconnected"].includes(answers(hostilePeer).at(-1)?.end ?? ""));
  }));

test("receiving state: after the sender's end, each is answered until its receiver knows the end, and changes nothing", () =>
  sendingToHostilePeer(async (room, alice, hostilePeer) => {
    const sent = await room.time.run(alice.runtime.sendBytes(pattern(100), { ...TO_EVE, confirm: false }));
    await room.time.advance(1);
    const before = answers(hostilePeer).length;
    hostilePeer.state("alice", { receiving: [row({ received: 100, taken: 10 })] });
    await room.time.advance(1);
    assert.equal(answers(hostilePeer).slice(before), [{ sequence: 0, final: 100 }]);
    hostilePeer.state("alice", { receiving: [row({ received: 40, taken: 10, end: "cancelled" })] });
    await room.time.advance(1);
    assert.equal(answers(hostilePeer).slice(before + 1), [{ sequence: 0, final: 100 }]);
    hostilePeer.state("alice", { receiving: [row({ received: 100, taken: 100, end: "cancelled" })] });
    await room.time.advance(1);
    assert.is(answers(hostilePeer).length, before + 2);
    assert.is(sent.receipts, undefined);
    assert.equal(alice.errors, []);
  }));

test("receiving state: a stream that was never sent is answered as incomplete, up to the received bytes", () =>
  sendingToHostilePeer(async (room, _, hostilePeer) => {
    hostilePeer.state("alice", { receiving: [row({ sequence: 77, received: 5 }), row({ sequence: 78, end: "cancelled" })] });
    await room.time.advance(1);
    assert.equal(answers(hostilePeer, 77), [{ sequence: 77, final: 5, end: "incomplete" }]);
    assert.equal(answers(hostilePeer, 78), []);
  }));

test("hello: a later streamWindow changes new streams only", () =>
  sendingToHostilePeer(async (room, alice, hostilePeer) => {
    const sentTo = (streamId: string): number =>
      hostilePeer.of("chunk", streamId).reduce((bytes, { content }) => bytes + content.length, 0);
    const first = await room.time.run(alice.runtime.streamBytes({ ...TO_EVE, streamId: "first" }));
    const writing = first.write(pattern(500_000));
    writing.catch(() => {});
    await room.time.advance(20);
    const before = sentTo("first");
    assert.ok(before <= 101_000, `${before}`);
    for (const streamWindow of [1_000_000, 60_000]) {
      hostilePeer.hello("alice", { streamWindow, answer: false });
      await room.time.advance(20);
      assert.is(sentTo("first"), before);
    }
    const second = await room.time.run(alice.runtime.streamBytes({ ...TO_EVE, streamId: "second" }));
    const writingToo = second.write(pattern(500_000));
    writingToo.catch(() => {});
    await room.time.advance(20);
    assert.ok(sentTo("second") <= 61_000 && sentTo("second") >= 45_000, `${sentTo("second")}`);
    hostilePeer.state("alice", { receiving: [row({ credit: 200_000 })] });
    await room.time.advance(20);
    assert.ok(sentTo("first") > before, "a row of r raises it");
    await first.abort();
    await second.abort();
  }, { streamWindow: 100_000 }));

test("HandlerOptions.window: is at least 60,000, whatever is requested, and the hello says so", () =>
  withHostilePeer(async ({ room, bob, hostilePeer }) => {
    bob.runtime.registerByteStreamHandler("narrow", () => {}, { window: 1 });
    await room.time.advance(1);
    const hellos = hostilePeer.controls("bob").filter((message) => message.kind === "hello");
    assert.is(hellos.at(-1)?.streamWindow, 60_000);
    hostilePeer.open("bob", "s", 0, { topic: "narrow" });
    await room.time.advance(1);
    assert.is(hostilePeer.statesFrom("bob").flatMap(({ receiving }) => receiving).at(-1)?.credit, 60_000);
  }));

test("hello: goes to participants present at the start, and to each who joins, and asks for an answer", () =>
  inVirtualTime(async (room) => {
    const before = room.raw("before");
    await room.join("bob");
    const after = room.raw("after");
    await room.time.advance(1);
    for (const hostilePeer of [before, after]) {
      const hellos = hostilePeer.controls("bob").filter((message) => message.kind === "hello");
      assert.equal(hellos.map(({ answer }) => answer), [true], hostilePeer.transport.identity);
    }
  }));

test("header: one of another SDK with an open stream's id is a repeat, and opens nothing", () =>
  withHostilePeer(async ({ room, bob, hostilePeer, readers }) => {
    hostilePeer.open("bob", "s", 0, { extension: false });
    hostilePeer.chunk("bob", "s", 0, pattern(10));
    hostilePeer.open("bob", "s", 0, { extension: false });
    hostilePeer.chunk("bob", "s", 1, pattern(5));
    hostilePeer.trailer("bob", "s", undefined);
    await room.time.advance(1);
    assert.is(readers.length, 1);
    assert.is((await room.time.run(last(readers).readAll())).length, 15);
    hostilePeer.open("bob", "s", 0, { extension: false });
    await room.time.advance(1);
    assert.is(readers.length, 2, "its id is free again");
    assert.equal(bob.errors, []);
  }));

test("chunk, trailer: fields of the wrong type are ignored", () =>
  withHostilePeer(async ({ room, bob, hostilePeer, readers }) => {
    hostilePeer.open("bob", "s", 0);
    const chunk = { type: "chunk", streamId: "s", index: 0, content: pattern(10) } as const;
    for (const index of [-1, 0.5, NaN, "0", null, undefined]) hostilePeer.send({ ...chunk, index: index as number }, "bob");
    hostilePeer.chunk("bob", "s", 0, pattern(10));
    const attributes = encodeTrailer({}, { bytes: 10, chunks: 1, digest: digestOf(pattern(10)) });
    for (const reason of [null, undefined, 5, {}]) {
      hostilePeer.send({ type: "trailer", streamId: "s", reason: reason as string, attributes }, "bob");
    }
    await room.time.advance(1);
    assert.is(last(readers).actor.getSnapshot().value, "receiving");
    hostilePeer.send({ type: "trailer", streamId: "s", reason: "as it should be", attributes }, "bob");
    await room.time.advance(1);
    assert.is((await room.time.run(last(readers).readAll())).length, 10);
    assert.is((await last(readers).closed).reason, "as it should be");
    assert.equal(bob.errors, []);
  }));

test("header: a new one with an open stream's id ends that as incomplete, unless it is whole", () =>
  withHostilePeer(async ({ room, hostilePeer, readers }) => {
    for (const sequence of [0, 1, 2]) {
      hostilePeer.open("bob", "s", sequence);
      hostilePeer.chunk("bob", "s", 0, pattern(10));
      if (sequence === 1) hostilePeer.trailer("bob", "s", { bytes: 10, chunks: 1, digest: digestOf(pattern(10)) });
      await room.time.advance(1);
    }
    await rejection(() => room.time.run(at(readers, 0).readAll()), "incomplete");
    assert.is((await room.time.run(at(readers, 1).readAll())).length, 10);
    assert.is(at(readers, 2).actor.getSnapshot().value, "receiving");
  }));

test("received: counts whole frames, and the payload that came of an unfinished one", () =>
  withHostilePeer(async ({ room, hostilePeer, readers }) => {
    hostilePeer.open("bob", "s", 0, { extension: { format: "framed" } });
    const [one, two] = [frame(0, pattern(1_000)), frame(1_000, pattern(2_000))];
    hostilePeer.chunk("bob", "s", 0, one);
    hostilePeer.chunk("bob", "s", 1, two.subarray(0, two.length - 500));
    await room.time.advance(1);
    const reading = last(readers)[Symbol.asyncIterator]();
    await reading.next();
    await room.time.advance(11_000);
    const row = hostilePeer.statesFrom("bob").flatMap(({ receiving }) => receiving).at(-1);
    assert.equal([row?.received, row?.taken], [2_500, 1_000]);
    await reading.return?.();
  }));

test("header: an unreadable one opens nothing, and its sender is not told", () =>
  withHostilePeer(async ({ room, bob, hostilePeer, readers }) => {
    const before = hostilePeer.statesFrom("bob").length;
    const lies = [
      { instance: "i".repeat(65) },
      { whole: ["x".repeat(5_400), ""] as const },
      { whole: ["no base64", ""] as const },
      { whole: ["", ""] as const, format: "framed" as const },
    ];
    for (const [sequence, extension] of lies.entries()) hostilePeer.open("bob", `s${sequence}`, sequence, { extension });
    await room.time.advance(1);
    assert.equal([readers.length, bob.errors.map(({ code }) => code)], [0, Array(lies.length).fill("corrupt")]);
    assert.is(hostilePeer.statesFrom("bob").length, before);
    const content = pattern(3_999);
    const whole = [btoa(String.fromCharCode(...content)), digestOf(content)] as const;
    hostilePeer.open("bob", "whole", 9, { size: content.length, extension: { whole } });
    await room.time.advance(1);
    assert.equal(await room.time.run(last(readers).readAll()), content);
  }));

test.run();
