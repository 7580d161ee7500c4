// Ends of sends that wait for their turn.
import * as assert from "uvu/assert";
import type { StreamError } from "../../mod.ts";
import { collectReaders, TO_BOB } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { outcomeOf, rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { type HubFixture, inVirtualTime, type Member } from "../support/hub/hub_fixture.ts";
import type { RawParticipant } from "../support/hub/raw_participant.ts";

const test = suite("waiting sends");

test("OpeningQueue: a waiting send ends with its signal, its runtime, or its receiver", async () => {
  for (
    const [code, end] of [
      ["aborted", (controller: AbortController) => controller.abort()],
      ["closed", (_: AbortController, alice: Member) => alice.runtime.close()],
      ["disconnected", (_: AbortController, __: Member, room: HubFixture) => room.hub.vanish("bob")],
    ] as const
  ) {
    await inVirtualTime(async (room) => {
      const [alice, bob] = [await room.join("alice"), await room.join("bob", { limits: { streamsPerSender: 1 } })];
      collectReaders(bob.runtime);
      await room.time.run(alice.runtime.streamBytes(TO_BOB));
      const controller = new AbortController();
      const waiting = outcomeOf(alice.runtime.sendText("x", { ...TO_BOB, signal: controller.signal }));
      await room.time.advance(100);
      assert.equal(waiting, {});
      void end(controller, alice, room);
      await room.time.advance(100);
      assert.is(waiting.code, code);
    });
  }
});

for (const turns of [0, 1, 2, 3, 5, 8]) {
  test(`OpeningQueue: a send aborted ${turns} microtasks after the call reaches nobody whole, and holds no place`, async () => {
    await inVirtualTime(async (room) => {
      const [alice, bob] = [await room.join("alice"), await room.join("bob", { limits: { streamsPerSender: 1 } })];
      const ends: string[] = [];
      bob.runtime.registerByteStreamHandler("t", async (reader) => {
        await reader.readAll().then(() => ends.push("whole"), (error: StreamError) => ends.push(error.code));
      });
      for (let i = 0; i < 5; i++) {
        const controller = new AbortController();
        const sent = outcomeOf(alice.runtime.sendBytes(pattern(700_000), { ...TO_BOB, signal: controller.signal }));
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        controller.abort();
        await room.time.advance(10);
        assert.is(sent.code, "aborted");
      }
      assert.ok(ends.every((end) => end === "aborted"), ends.join());
      await room.time.run(alice.runtime.sendBytes(pattern(10), TO_BOB));
      assert.is(ends.at(-1), "whole");
    });
  });
}

test("OpeningQueue: an abandoned send leaves its turn to the next", async () => {
  await inVirtualTime(async (room) => {
    const [alice, bob] = [await room.join("alice"), await room.join("bob", { limits: { streamsPerSender: 1 } })];
    const readers = collectReaders(bob.runtime);
    const first = await room.time.run(alice.runtime.streamBytes(TO_BOB));
    const controller = new AbortController();
    const second = outcomeOf(alice.runtime.streamBytes({ ...TO_BOB, signal: controller.signal }));
    const third = alice.runtime.streamBytes(TO_BOB);
    await room.time.advance(1);
    controller.abort();
    await first.abort();
    await room.time.advance(1);
    await rejection(() => readers[0]?.readAll(), "aborted");
    const writer = await room.time.run(third);
    assert.is(second.code, "aborted");
    await room.time.advance(1);
    assert.is(readers.length, 2);
    await writer.abort();
  });
});

test("stallTimeout: a send waiting for a full receiver ends; a broadcast goes on to the others", async () => {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice", { limits: { stallTimeout: 10_000 } });
    const carol = await room.join("carol");
    const readers = collectReaders(carol.runtime);
    const eve = room.raw("eve");
    eve.control(
      {
        kind: "hello",
        instance: eve.instance,
        streamWindow: 60_000,
        credit: 60_000,
        idleTimeout: 1e9,
        streams: 0,
        encodings: ["raw"],
        answer: true,
      },
      "alice",
    );
    await room.time.advance(1);
    const named = outcomeOf(alice.runtime.sendText("x", { topic: "t", destinationIdentities: ["eve"] }));
    const broadcast = alice.runtime.streamBytes({ topic: "t" });
    await room.time.advance(9_000);
    assert.is(readers.length, 0);
    keepAlive(eve);
    await room.time.advance(1_100);
    assert.is(named.code, "timeout");
    const writer = await room.time.run(broadcast);
    await room.time.advance(1);
    assert.is(readers.length, 1);
    await room.time.run(writer.close());
    const next = await room.time.run(alice.runtime.streamBytes({ topic: "t" }), { limit: 100 });
    await next.abort();
    assert.equal(eve.headers, []);
    eve.state("alice", { credit: 60_000, streams: 1 });
    await room.time.advance(1);
    await (await room.time.run(alice.runtime.streamBytes({ topic: "t" }), { limit: 100 })).abort();
    assert.is(eve.headers.length, 1, "once it takes streams again it gets them");
    const again = outcomeOf(alice.runtime.streamBytes({ topic: "t" }));
    await room.time.advance(9_000);
    assert.equal(again, {}, "and is waited for again");
    await room.time.advance(1_100);
    assert.is(again.code, "done");
  });
});

function keepAlive(eve: RawParticipant): void {
  eve.state("alice", { credit: 60_000 });
}

test("stallTimeout: begins anew with each wait, and an abandoned wait leaves no timer", async () => {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice", { limits: { stallTimeout: 10_000, idleTimeout: 100_000 } });
    const bob = await room.join("bob", { limits: { streamsPerSender: 1, idleTimeout: 100_000 } });
    collectReaders(bob.runtime);
    await room.time.run(alice.runtime.streamBytes(TO_BOB));
    const timers = room.time.pending;
    for (let i = 0; i < 3; i++) {
      const controller = new AbortController();
      const waiting = outcomeOf(alice.runtime.sendText("x", { ...TO_BOB, signal: controller.signal }));
      await room.time.advance(6_000);
      assert.equal(waiting, {});
      controller.abort();
      await room.time.advance(1);
      assert.is(waiting.code, "aborted");
      assert.is(room.time.pending, timers);
    }
  });
});

test("OpeningQueue: an abandoned wait leaves nothing, even if no other stream is open", async () => {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    const eve = room.raw("eve");
    eve.hello("alice", { streams: 0 });
    await room.time.advance(1);
    const timers = room.time.pending;
    const controller = new AbortController();
    const waiting = outcomeOf(alice.runtime.sendText("x", { destinationIdentities: ["eve"], signal: controller.signal }));
    await room.time.advance(100);
    assert.ok(room.time.pending > timers);
    controller.abort();
    await room.time.advance(1);
    assert.is(waiting.code, "aborted");
    assert.is(room.time.pending, timers);
  });
});

test("stallTimeout: a receiver that reads is waited for beyond the stall time-out", async () => {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice", { limits: { stallTimeout: 10_000 } });
    const bob = await room.join("bob", { limits: { streamsPerSender: 1 } });
    bob.runtime.registerByteStreamHandler("t", async (reader) => {
      for await (const part of reader) await new Promise<void>((resolve) => room.time.setTimeout(resolve, part.length / 40));
    });
    const sends = [1, 2].map(() => alice.runtime.sendBytes(pattern(3_000_000), TO_BOB));
    await room.time.run(Promise.all(sends));
    assert.ok(room.time.now() > 100_000);
  });
});

test.run();
