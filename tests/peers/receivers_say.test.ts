// States of receivers, at the sender: which of them count, and which are reported to its user.
import * as assert from "uvu/assert";
import type { ReceivingState } from "../../protocol/wire/control.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { type HubFixture, inVirtualTime, type Member } from "../support/hub/hub_fixture.ts";
import { digestOf, type RawParticipant } from "../support/hub/raw_participant.ts";

const test = suite("states of receivers");

const TO_EVE = { topic: "t", destinationIdentities: ["eve"] };
const TO_BOTH = { topic: "t", destinationIdentities: ["eve", "mallory"] };

/** Alice, and two raw participants that send her states of her streams. */
async function withReceivers(
  body: (room: HubFixture, alice: Member, eve: RawParticipant, mallory: RawParticipant) => Promise<void>,
): Promise<void> {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    const [eve, mallory] = [room.raw("eve"), room.raw("mallory")];
    for (const raw of [eve, mallory]) raw.hello("alice");
    await room.time.advance(1);
    await body(room, alice, eve, mallory);
  });
}

function row(more: Partial<ReceivingState>): ReceivingState {
  return { sequence: 0, claim: "claimed", credit: 1_000_000, received: 0, taken: 0, ...more };
}

test("done: counts if everything sent was taken, and not before the stream's end", async () => {
  await withReceivers(async (room, alice, eve) => {
    const bytes = pattern(100);
    const done = { end: "done", digest: digestOf(bytes) } as const;
    const writer = await room.time.run(alice.runtime.streamBytes({ ...TO_EVE, confirm: true, totalSize: 100 }));
    await writer.write(bytes);
    await room.time.advance(20);
    eve.state("alice", { receiving: [row({ received: 100, taken: 100, ...done })] });
    await room.time.advance(20);
    assert.is(writer.actor.getSnapshot().value, "writing");
    const closing = writer.close();
    await room.time.advance(20);
    for (const taken of [0, 99]) eve.state("alice", { receiving: [row({ received: 100, taken, ...done })] });
    eve.state("alice", { receiving: [row({ received: 101, taken: 101, ...done })] });
    await room.time.advance(20);
    assert.is(writer.actor.getSnapshot().value, "closing");
    eve.state("alice", { receiving: [row({ received: 100, taken: 100, ...done })] });
    await room.time.run(closing, { limit: 100 });
    assert.equal(writer.info.receipts, [{ identity: "eve", bytes: 100 }]);
  });
});

for (const end of ["refused", "too-large", "disconnected", "cancelled"] as const) {
  test(`onError: without receipts, one of two receivers that ends a stream as ${end} is reported, unless it cancelled`, async () => {
    await withReceivers(async (room, alice, eve) => {
      const writer = await room.time.run(alice.runtime.streamBytes(TO_BOTH));
      eve.state("alice", { receiving: [row({ end })] });
      await room.time.advance(20);
      assert.is(writer.actor.getSnapshot().value, "open");
      const told = end === "cancelled" ? [] : [`${end} eve`];
      assert.equal(alice.errors.map(({ code, identity }) => `${code} ${identity}`), told);
      await writer.abort();
    });
  });

  test(`receipts: one of two receivers that ends a stream as ${end} is listed, and not reported twice`, async () => {
    await withReceivers(async (room, alice, eve, mallory) => {
      const writer = await room.time.run(alice.runtime.streamBytes({ ...TO_BOTH, confirm: true }));
      eve.state("alice", { receiving: [row({ end })] });
      await room.time.advance(20);
      const closing = writer.close();
      await room.time.advance(20);
      mallory.state("alice", { receiving: [row({ end: "done", digest: digestOf() })] });
      await room.time.run(closing, { limit: 100 });
      assert.equal(writer.info.receipts, [{ identity: "eve", bytes: 0, error: end }, { identity: "mallory", bytes: 0 }]);
      assert.equal(alice.errors, []);
    });
  });

  test(`sending: a sole receiver that ends a stream as ${end} rejects the calls with that, without onError`, async () => {
    await withReceivers(async (room, alice, eve) => {
      const writer = await room.time.run(alice.runtime.streamBytes(TO_EVE));
      eve.state("alice", { receiving: [row({ end })] });
      await room.time.advance(20);
      await rejection(() => writer.write(pattern(1)), end);
      assert.equal(alice.errors, []);
    });
  });
}

test("sending state: a receiver that ends a stream learns how far it was sent, which returns its credit", async () => {
  await withReceivers(async (room, alice, eve) => {
    const writer = await room.time.run(alice.runtime.streamBytes(TO_BOTH));
    await writer.write(pattern(50_000));
    await room.time.advance(20);
    eve.state("alice", { receiving: [row({ received: 15_000, end: "cancelled" })] });
    await room.time.advance(20);
    const told = eve.statesFrom("alice").flatMap(({ sending }) => sending);
    assert.equal(told.map(({ final }) => final).at(-1), writer.progress.received);
    await writer.abort();
  });
});

test.run();
