// Sends beyond the streams that their receiver takes wait for their turn.
import * as assert from "uvu/assert";
import type { ByteStreamReader, StreamError } from "../mod.ts";
import { suite } from "./harness.ts";
import { rejection } from "./rejections.ts";
import { inRoom, type Member, pattern, type Raw, type Room } from "./room.ts";

const test = suite("sends in turn");

/** Topic "t" at a member: readers that nobody reads. */
function hoard({ runtime }: Member): ByteStreamReader[] {
  const readers: ByteStreamReader[] = [];
  runtime.registerByteStreamHandler("t", (reader) => void readers.push(reader));
  return readers;
}

const toBob = { topic: "t", destinationIdentities: ["bob"] };

/** How a promise ended, once it has. */
function outcomeOf(promise: Promise<unknown>): { code?: string } {
  const outcome: { code?: string } = {};
  promise.then(() => (outcome.code = "done"), (error: StreamError) => (outcome.code = error.code));
  return outcome;
}

test("sendText: thousands that are not awaited arrive, each and in order", async () => {
  await inRoom(async (room) => {
    const [alice, bob] = [await room.join("alice"), await room.join("bob")];
    const came: string[] = [];
    const got: string[] = [];
    bob.runtime.registerTextStreamHandler("t", async (reader) => {
      came.push(reader.info.streamId);
      got.push(await reader.readAll());
    });
    const texts = Array.from({ length: 3_000 }, (_, i) => `text ${i}`);
    await room.time.run(Promise.all(texts.map((text) => alice.runtime.sendText(text, { topic: "t", streamId: text }))));
    await room.time.run(() => got.length === texts.length);
    assert.is(new Set(got).size, texts.length);
    assert.is(came.findIndex((text, i) => text !== texts[i]), -1);
    assert.equal([...alice.errors, ...bob.errors], []);
  });
});

for (const [streams, streamsPerSender, count] of [[1, 1, 3], [1, 1024, 3], [7, 3, 4], [20, 1024, 5], [64, 8, 2]] as const) {
  test(`limits of ${streams} streams, ${streamsPerSender} a sender: ${count} senders send 60 each, none is refused`, async () => {
    await inRoom(async (room) => {
      const bob = await room.join("bob", { limits: { streams, streamsPerSender } });
      let open = 0;
      let most = 0;
      let taken = 0;
      bob.runtime.registerByteStreamHandler("t", async (reader) => {
        most = Math.max(most, ++open);
        await reader.readAll();
        open--;
        taken++;
      });
      const senders: Member[] = [];
      for (let i = 0; i < count; i++) senders.push(await room.join(`sender ${i}`));
      const sends = senders.flatMap(({ runtime }) =>
        Array.from({ length: 60 }, (_, i) => runtime.sendBytes(pattern(i * 500), toBob))
      );
      await room.time.run(Promise.all(sends));
      assert.is(taken, 60 * count);
      assert.ok(most <= streams, `${most} were open`);
      assert.equal(bob.errors, []);
    });
  });
}

test("a send that waits ends with its signal, with its runtime, and with its receiver", async () => {
  for (
    const [code, end] of [
      ["aborted", (controller: AbortController) => controller.abort()],
      ["closed", (_: AbortController, alice: Member) => alice.runtime.close()],
      ["disconnected", (_: AbortController, __: Member, room: Room) => room.hub.vanish("bob")],
    ] as const
  ) {
    await inRoom(async (room) => {
      const [alice, bob] = [await room.join("alice"), await room.join("bob", { limits: { streamsPerSender: 1 } })];
      hoard(bob);
      await room.time.run(alice.runtime.streamBytes(toBob));
      const controller = new AbortController();
      const waiting = outcomeOf(alice.runtime.sendText("x", { ...toBob, signal: controller.signal }));
      await room.time.advance(100);
      assert.equal(waiting, {});
      void end(controller, alice, room);
      await room.time.advance(100);
      assert.is(waiting.code, code);
    });
  }
});

for (const turns of [0, 1, 2, 3, 5, 8]) {
  test(`a send whose signal fires ${turns} microtasks after the call reaches nobody whole, and holds no place`, async () => {
    await inRoom(async (room) => {
      const [alice, bob] = [await room.join("alice"), await room.join("bob", { limits: { streamsPerSender: 1 } })];
      const ends: string[] = [];
      bob.runtime.registerByteStreamHandler("t", async (reader) => {
        await reader.readAll().then(() => ends.push("whole"), (error: StreamError) => ends.push(error.code));
      });
      for (let i = 0; i < 5; i++) {
        const controller = new AbortController();
        const sent = outcomeOf(alice.runtime.sendBytes(pattern(700_000), { ...toBob, signal: controller.signal }));
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        controller.abort();
        await room.time.advance(10);
        assert.is(sent.code, "aborted");
      }
      assert.ok(ends.every((end) => end === "aborted"), ends.join());
      await room.time.run(alice.runtime.sendBytes(pattern(10), toBob));
      assert.is(ends.at(-1), "whole");
    });
  });
}

test("a send that was given up leaves its turn to the next", async () => {
  await inRoom(async (room) => {
    const [alice, bob] = [await room.join("alice"), await room.join("bob", { limits: { streamsPerSender: 1 } })];
    const readers = hoard(bob);
    const first = await room.time.run(alice.runtime.streamBytes(toBob));
    const controller = new AbortController();
    const second = outcomeOf(alice.runtime.streamBytes({ ...toBob, signal: controller.signal }));
    const third = alice.runtime.streamBytes(toBob);
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

test("a receiver that takes nothing more for the stall time-out: the send ends, a broadcast goes on to the others", async () => {
  await inRoom(async (room) => {
    const alice = await room.join("alice", { limits: { stallTimeout: 10_000 } });
    const carol = await room.join("carol");
    const readers = hoard(carol);
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
    const next = await room.time.run(alice.runtime.streamBytes({ topic: "t" }), { limit: room.time.now() + 100 });
    await next.abort();
  });
});

function keepAlive(eve: Raw): void {
  eve.state("alice", { credit: 60_000 });
}

test("headers that are lost on the way hold no place", async () => {
  await inRoom(async (room) => {
    const [alice, bob] = [await room.join("alice"), await room.join("bob", { limits: { streamsPerSender: 4 } })];
    const got: string[] = [];
    bob.runtime.registerTextStreamHandler("t", async (reader) => void got.push(await reader.readAll()));
    for (let round = 0; round < 4; round++) {
      room.hub.part("alice", "bob", { oneWay: true });
      const lost = Promise.all([1, 2].map((i) => alice.runtime.sendText(`lost ${i}`, toBob)));
      await room.time.advance(1);
      room.hub.heal("alice", "bob", { oneWay: true });
      await room.time.run(lost);
    }
    await room.time.run(Promise.all(Array.from({ length: 20 }, (_, i) => alice.runtime.sendText(`text ${i}`, toBob))));
    await room.time.run(() => got.filter((text) => text.startsWith("text")).length === 20);
    assert.ok(got.length < 28, "none was lost: the test shows nothing");
  });
});

test("a stranger who heeds no limit is refused, and the limit that is told stays honest", async () => {
  await inRoom(async (room) => {
    const bob = await room.join("bob", { limits: { streamsPerSender: 3 } });
    const readers = hoard(bob);
    const eve = room.raw("eve");
    eve.hello("bob");
    await room.time.advance(1);
    for (let i = 0; i < 10; i++) eve.open("bob", `s-${i}`, i);
    await room.time.advance(1);
    assert.is(readers.length, 3);
    assert.is(bob.errors.filter(({ code }) => code === "refused").length, 7);
    const told = eve.statesFrom("bob").at(-1)?.streams ?? 0;
    assert.ok(told <= 10, `${told} may be opened`);
  });
});

test.run();
