// Chunk size: as requested, or larger on a fast line whose transport states a larger size.
import * as assert from "uvu/assert";
import { type RuntimeOptions, STREAM_CHUNK_SIZE } from "../../mod.ts";
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
  assert.is(sizes[0], STREAM_CHUNK_SIZE);
  assert.is(Math.max(...sizes), LARGEST);
});

test("chunk size: on a slow line, stays at the default", async () => {
  assert.is(Math.max(...await sizesOf(SLOW, { largestChunk: LARGEST })), STREAM_CHUNK_SIZE);
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
