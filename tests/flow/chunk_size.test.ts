// Chunk size: as requested; or by the line's rate, if the transport states a largest size.
import * as assert from "uvu/assert";
import { type RuntimeOptions, STREAM_CHUNK_SIZE } from "../../mod.ts";
import { chunkBytes, SMALLEST_CHUNK } from "../../protocol/flow/chunk_bytes.ts";
import type { Transport } from "../../transports/transport.ts";
import { spied } from "../support/hub/altered_transport.ts";
import { suite } from "../support/harness.ts";
import { pseudorandom } from "../support/bytes.ts";
import { inVirtualTime } from "../support/hub/hub_fixture.ts";
import { linkOf } from "../support/hub/paced_links.ts";

const test = suite("chunk size");

const LARGEST = 30_000;
const FAST = 10_000_000;
const SLOW = 500_000;

test("chunk size: on a fast line, grows to Transport.largestChunk, once the rate is known", async () => {
  const sizes = await sizesOf(FAST, { largestChunk: LARGEST });
  assert.is(sizes[0], SMALLEST_CHUNK);
  assert.is(Math.max(...sizes), LARGEST);
});

test("chunk size: on a slow line, is what the line sends in 15 ms, so that messages wait less", async () => {
  const sizes = await sizesOf(SLOW, { largestChunk: LARGEST });
  assert.is(sizes[0], SMALLEST_CHUNK);
  assert.ok(Math.max(...sizes) <= 1.1 * 15 * SLOW / 1_000, `${Math.max(...sizes)} bytes`);
});

test("chunkBytes(): between the smallest and the largest, by the rate; without a rate small only at first", () => {
  const bounds = { chunkSize: STREAM_CHUNK_SIZE, largestChunk: LARGEST };
  const sizes = [0, 50, 600, 1_000, 1_500, 3_000, 50_000].map((rate) => chunkBytes(bounds, rate, 0));
  assert.equal(sizes, [4_500, 4_500, 9_000, 15_000, 15_000, 24_000, 30_000]);
  assert.is(chunkBytes(bounds, 0, 1_000_000), STREAM_CHUNK_SIZE);
  assert.is(chunkBytes({ chunkSize: 4_000, largestChunk: 4_000 }, 50_000, 0), 4_000);
});

test("chunk size: without Transport.largestChunk, stays at the default", async () => {
  assert.is(Math.max(...await sizesOf(FAST, {})), STREAM_CHUNK_SIZE);
});

test("chunk size: stays as requested by options", async () => {
  for (const chunkSize of [4_000, STREAM_CHUNK_SIZE, 40_000]) {
    assert.is(Math.max(...await sizesOf(FAST, { largestChunk: LARGEST }, { chunkSize })), chunkSize);
  }
});

test("chunk size: to another SDK, stays at the default", async () => {
  await inVirtualTime(async (room) => {
    const sizes: number[] = [];
    const alice = await room.join("alice", { transport: noting(sizes, room.hub.join("alice"), { largestChunk: LARGEST }) });
    room.raw("plain");
    await room.time.advance(5_000);
    await room.time.run(alice.runtime.sendBytes(pseudorandom(2_000_000), { topic: "bulk", destinationIdentities: ["plain"] }));
    assert.is(Math.max(...sizes), STREAM_CHUNK_SIZE);
  }, { link: linkOf({ rate: FAST, delay: 5, queue: 500 }) });
});

test.run();

/** Chunk sizes of a transfer over a link of `rate` bytes a second. Checks that all bytes arrive. */
async function sizesOf(
  rate: number,
  transport: Partial<Transport>,
  options: Partial<RuntimeOptions> = {},
): Promise<readonly number[]> {
  const sizes: number[] = [];
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice", { ...options, transport: noting(sizes, room.hub.join("alice"), transport) });
    const bob = await room.join("bob");
    await room.time.advance(5_000);
    const content = pseudorandom(rate / 2);
    const received = new Promise<Uint8Array>((resolve, reject) => {
      bob.runtime.registerByteStreamHandler("bulk", (reader) => void reader.readAll().then(resolve, reject));
    });
    await room.time.run(alice.runtime.sendBytes(content, { topic: "bulk", destinationIdentities: ["bob"] }));
    assert.equal(await received, content);
  }, { link: linkOf({ rate, delay: 5, queue: 500 }) });
  return sizes;
}

/** A transport that notes the sizes of its chunks. */
function noting(sizes: number[], transport: Transport, more: Partial<Transport>): Transport {
  return spied(transport, (packet) => {
    if (packet.type === "chunk") sizes.push(packet.content.length);
  }, more);
}
