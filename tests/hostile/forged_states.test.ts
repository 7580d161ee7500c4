// States that receivers may forge: they affect a stream only up to the bytes that were really sent.
import * as assert from "uvu/assert";
import type { Claim } from "../../protocol/wire/control.ts";
import { suite } from "../support/harness.ts";
import { sendingToHostilePeer } from "../support/hub/hostile_peer.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { inVirtualPair, inVirtualTime } from "../support/hub/hub_fixture.ts";
import { digestOf } from "../support/hub/raw_participant.ts";

const test = suite("forged states");

const CLAIMED: Claim = "claimed";
const TO_EVE = { topic: "t", destinationIdentities: ["eve"], confirm: true };

for (const [name, taken] of [["fewer", 9], ["more", 11]] as const) {
  test(`OutgoingStream: a receipt for ${name} bytes than were sent, with the right digest, confirms nothing`, () =>
    sendingToHostilePeer(async (room, alice, hostilePeer) => {
      const bytes = pattern(10);
      let settled = false;
      const sending = alice.runtime.sendBytes(bytes, TO_EVE).finally(() => settled = true);
      await room.time.advance(10);
      const sequence = hostilePeer.headers.at(-1)?.sequence ?? NaN;
      const row = { sequence, claim: CLAIMED, credit: 1_000, received: 10, end: "done" as const, digest: digestOf(bytes) };
      hostilePeer.state("alice", { receiving: [{ ...row, taken, received: Math.max(10, taken) }] });
      await room.time.advance(1_000);
      assert.is(settled, false);
      hostilePeer.state("alice", { receiving: [{ ...row, taken: 10 }] });
      await room.time.advance(10);
      assert.equal((await room.time.run(sending)).receipts, [{ identity: "eve", bytes: 10 }]);
    }));
}

test("OutgoingStream: a state with more bytes than were sent changes nothing, whatever else it says", () =>
  sendingToHostilePeer(async (room, alice, hostilePeer) => {
    const writer = await room.time.run(alice.runtime.streamBytes(TO_EVE));
    await room.time.run(writer.write(pattern(10)));
    await room.time.advance(20);
    const sequence = hostilePeer.headers.at(-1)?.sequence ?? NaN;
    hostilePeer.state("alice", {
      receiving: [{ sequence, claim: CLAIMED, credit: 0, received: 11, taken: 0, end: "cancelled" }],
    });
    await room.time.advance(10);
    await room.time.run(writer.write(pattern(10)));
    hostilePeer.state("alice", {
      receiving: [{ sequence, claim: CLAIMED, credit: 0, received: 10, taken: 0, end: "cancelled" }],
    });
    await room.time.advance(10);
    await rejection(() => room.time.run(writer.write(pattern(10))), "cancelled");
  }));

test("OutgoingStream: a broadcast waits no longer than needed for a receiver without a claim, and keeps no timer", () =>
  inVirtualPair(async (alice, bob, room) => {
    const hostilePeer = room.raw("eve");
    hostilePeer.hello("alice", { streamWindow: 60_000 });
    await room.time.advance(1);
    const received: number[] = [];
    bob.runtime.registerByteStreamHandler("t", async (reader) => void received.push((await reader.readAll()).length));
    const before = room.time.pending;
    await room.time.run(alice.runtime.sendBytes(pattern(1_000_000), { topic: "t" }));
    await room.time.advance(10);
    assert.equal(received, [1_000_000]);
    assert.ok(room.time.pending <= before, `${room.time.pending} timers wait, ${before} before`);
  }));

test("OutgoingStream: an ended broadcast takes no more receivers, and answers that nothing comes", () =>
  inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    await room.join("bob");
    room.raw("plain"); // of another SDK, so that the broadcast names nobody
    await room.time.advance(1_000);
    await room.time.run(alice.runtime.sendText("over", { topic: "t" }));
    const hostilePeer = room.raw("eve");
    hostilePeer.hello("alice");
    await room.time.advance(10);
    hostilePeer.state("alice", { receiving: [{ sequence: 0, claim: CLAIMED, credit: 1_000, received: 0, taken: 0 }] });
    await room.time.advance(100);
    const rows = hostilePeer.statesFrom("alice").flatMap(({ sending }) => sending);
    assert.equal(rows, [{ sequence: 0, final: 0, end: "incomplete" }]);
  }));

test.run();
