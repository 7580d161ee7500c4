// Rows of state that receivers may forge: what one says of a stream moves only what that stream was really sent.
import * as assert from "uvu/assert";
import type { Claim } from "../../protocol/wire/control.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { type HubFixture, inVirtualTime, type Member } from "../support/hub_fixture.ts";
import { digestOf, type RawParticipant } from "../support/raw_participant.ts";

const test = suite("forged states");

/** Alice, and Eve, who has said hello as a Millrace runtime and answers as the test wants. */
async function withEve(body: (room: HubFixture, alice: Member, eve: RawParticipant) => Promise<void>): Promise<void> {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    const eve = room.raw("eve");
    eve.hello("alice");
    await room.time.advance(1);
    await body(room, alice, eve);
  });
}

const CLAIMED: Claim = "claimed";
const TO_EVE = { topic: "t", destinationIdentities: ["eve"], confirm: true };

for (const [name, taken] of [["fewer", 9], ["more", 11]] as const) {
  test(`a receipt for ${name} bytes than were sent, with the right digest, confirms nothing`, () =>
    withEve(async (room, alice, eve) => {
      const bytes = pattern(10);
      let settled = false;
      const sending = alice.runtime.sendBytes(bytes, TO_EVE).finally(() => settled = true);
      await room.time.advance(10);
      const sequence = eve.headers.at(-1)?.sequence ?? NaN;
      const row = { sequence, claim: CLAIMED, credit: 1_000, received: 10, end: "done" as const, digest: digestOf(bytes) };
      eve.state("alice", { receiving: [{ ...row, taken, received: Math.max(10, taken) }] });
      await room.time.advance(1_000);
      assert.is(settled, false);
      eve.state("alice", { receiving: [{ ...row, taken: 10 }] });
      await room.time.advance(10);
      assert.equal((await room.time.run(sending)).receipts, [{ identity: "eve", bytes: 10 }]);
    }));
}

test("a row of more bytes than were sent changes nothing, whatever else it says", () =>
  withEve(async (room, alice, eve) => {
    const writer = await room.time.run(alice.runtime.streamBytes(TO_EVE));
    await room.time.run(writer.write(pattern(10)));
    await room.time.advance(20);
    const sequence = eve.headers.at(-1)?.sequence ?? NaN;
    eve.state("alice", { receiving: [{ sequence, claim: CLAIMED, credit: 0, received: 11, taken: 0, end: "cancelled" }] });
    await room.time.advance(10);
    await room.time.run(writer.write(pattern(10)));
    eve.state("alice", { receiving: [{ sequence, claim: CLAIMED, credit: 0, received: 10, taken: 0, end: "cancelled" }] });
    await room.time.advance(10);
    await rejection(() => room.time.run(writer.write(pattern(10))), "cancelled");
  }));

test("a broadcast does not wait longer than it must for one who has not claimed it, nor keep a timer for that", () =>
  inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    const bob = await room.join("bob");
    const eve = room.raw("eve");
    eve.hello("alice", { streamWindow: 60_000 });
    await room.time.advance(1);
    const received: number[] = [];
    bob.runtime.registerByteStreamHandler("t", async (reader) => void received.push((await reader.readAll()).length));
    const before = room.time.pending;
    await room.time.run(alice.runtime.sendBytes(pattern(1_000_000), { topic: "t" }));
    await room.time.advance(10);
    assert.equal(received, [1_000_000]);
    assert.ok(room.time.pending <= before, `${room.time.pending} timers wait, ${before} before`);
  }));

test("a broadcast that has ended takes no more receivers: who asks for it is answered that nothing comes", () =>
  inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    await room.join("bob");
    room.raw("plain"); // of another SDK, so that the broadcast names nobody
    await room.time.advance(1_000);
    await room.time.run(alice.runtime.sendText("over", { topic: "t" }));
    const eve = room.raw("eve");
    eve.hello("alice");
    await room.time.advance(10);
    eve.state("alice", { receiving: [{ sequence: 0, claim: CLAIMED, credit: 1_000, received: 0, taken: 0 }] });
    await room.time.advance(100);
    const rows = eve.statesFrom("alice").flatMap(({ sending }) => sending);
    assert.equal(rows, [{ sequence: 0, final: 0, end: "incomplete" }]);
  }));

test.run();
