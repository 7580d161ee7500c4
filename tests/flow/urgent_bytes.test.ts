// Urgent bytes: beside bulk on a line, one write at a time, and never in frames.
import * as assert from "uvu/assert";
import type { ByteStreamOptions, Runtime } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { collectReaders, last, TO_BOB } from "../support/handlers.ts";
import { type HubFixture, inVirtualPair, inVirtualTime } from "../support/hub/hub_fixture.ts";
import { linkOf } from "../support/hub/paced_links.ts";
import { outcomeOf, rejection } from "../support/rejections.ts";
import { pattern, pseudorandom } from "../support/bytes.ts";

const test = suite("urgent bytes");

const LINE = { rate: 500_000, delay: 20, queue: 500 };

/** Bytes of a write: 100 ms of speech. */
const WRITE = 4_800;

/** Latencies of ten writes beside bulk, in ms. */
async function latenciesBeside(room: HubFixture, alice: Runtime, bob: Runtime, options: ByteStreamOptions): Promise<number[]> {
  const { time } = room;
  bob.registerByteStreamHandler("bulk", async (reader) => {
    for await (const part of reader) void part;
  });
  const sentAt: number[] = [];
  const latencies: number[] = [];
  bob.registerByteStreamHandler("speech", async (reader) => {
    let bytes = 0;
    for await (const part of reader) {
      bytes += part.length;
      while (bytes >= WRITE * (latencies.length + 1)) latencies.push(time.now() - (sentAt[latencies.length] ?? 0));
    }
  });
  const bulk = alice.sendBytes(pseudorandom(3_000_000), { topic: "bulk", destinationIdentities: ["bob"] });
  bulk.catch(() => {}); // the fixture's end may abort it
  await time.advance(1_000);
  const writer = await time.run(alice.streamBytes({ topic: "speech", destinationIdentities: ["bob"], ...options }));
  for (let n = 0; n < 10; n++) {
    sentAt.push(time.now());
    await time.run(writer.write(pseudorandom(WRITE)));
    await time.advance(100);
  }
  await time.run(writer.close());
  await time.run(bulk);
  return latencies;
}

test("urgent: bytes go before bulk, as texts do", () =>
  inVirtualPair(async (alice, bob, room) => {
    const latencies = await latenciesBeside(room, alice.runtime, bob.runtime, { urgent: true });
    assert.is(latencies.length, 10);
    const late = Math.max(...latencies);
    // The delay, the write itself, and at most four chunks of bulk that are on the line.
    assert.ok(late < LINE.delay + 10 + 120, `${late} ms of at most 150`);
  }, { link: linkOf(LINE) }));

test("urgent: each write waits until the one before has gone, so that nothing waits in a queue", () =>
  inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    const bob = await room.join("bob", { limits: { receiveWindow: 60_000 } });
    const readers = collectReaders(bob.runtime);
    const writer = await room.time.run(alice.runtime.streamBytes({ ...TO_BOB, urgent: true }));
    const writes = Array.from({ length: 20 }, () => outcomeOf(writer.write(pattern(10_000))));
    await room.time.advance(1_000);
    const taken = writes.filter(({ code }) => code === "done").length;
    assert.ok(taken >= 6 && taken <= 7, `${taken} writes were taken, for a window of six`);
    const reading = last(readers).readAll();
    await room.time.run(writer.close());
    assert.is((await room.time.run(reading)).length, 200_000);
  }));

test("urgent: bytes without an end, of a call, and of an array arrive as all others", () =>
  inVirtualPair(async (alice, bob, room) => {
    const readers = collectReaders(bob.runtime);
    const data = pattern(100_000);
    const sources = [data, [data.subarray(0, 1), data.subarray(1)], new Blob([data.slice()])];
    for (const source of sources) {
      const sending = alice.runtime.sendBytes(source, { ...TO_BOB, urgent: true });
      await room.time.advance(100);
      assert.equal(await room.time.run(last(readers).readAll()), data);
      const { receipts } = await room.time.run(sending);
      assert.equal(receipts, [{ identity: "bob", bytes: 100_000 }]);
    }
  }));

test("urgent: is true or false", () =>
  inVirtualPair(async ({ runtime }) => {
    const error = await rejection(
      () => runtime.streamBytes({ urgent: "yes" } as unknown as ByteStreamOptions),
      "invalid-argument",
    );
    assert.match(error.message, '"urgent" must be true or false');
  }));

test.run();
