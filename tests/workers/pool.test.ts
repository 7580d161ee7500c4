import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as assert from "uvu/assert";
import { programCommand } from "../../bench/support/program_command.ts";
import { SEGMENT_BYTES } from "../../protocol/constants.ts";
import { yieldToEventLoop } from "../../common/event_loop.ts";
import type { CodecPoolOptions } from "../../workers/pool/options.ts";
import { createCodecPool, NodePool } from "../../workers/pool/node_pool.ts";
import { codecConformance, filled, sha256 } from "../support/conformance/codec.ts";
import { codecPathConformance, withPaths } from "../support/conformance/codec_paths.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { until } from "../support/waiting.ts";

codecConformance("pool", () => createCodecPool({ size: 2 }), withPaths);
codecPathConformance("pool", () => createCodecPool({ size: 2 }));

const test = suite("NodePool");

/** A test with a pool of real workers. */
function withPool(title: string, options: CodecPoolOptions, body: (pool: NodePool) => Promise<void>): void {
  test(title, async () => {
    const pool = new NodePool(options);
    try {
      await body(pool);
    } finally {
      await pool.close();
    }
  });
}

/** Computes the digests of `count` segments concurrently. */
function digests(pool: NodePool, count: number): Promise<void[]> {
  return Promise.all(Array.from({ length: count }, async (_, index) => {
    const bytes = new Uint8Array(SEGMENT_BYTES).fill(index);
    const span = filled(pool, bytes);
    try {
      assert.equal((await pool.slice(span)).digest, sha256(bytes));
    } finally {
      span.segment.release();
    }
  }));
}

/** Starts digests, and resolves while workers are at it. Quick ones may be done between two looks: then there are more. */
async function atWork(pool: NodePool, count: number): Promise<{ done: Promise<unknown> }> {
  const done: Promise<unknown>[] = [];
  while (pool.running === 0) {
    if (pool.waiting === 0) done.push(digests(pool, count));
    await yieldToEventLoop();
  }
  return { done: Promise.all(done) };
}

test("createCodecPool: wrong options are refused", async () => {
  for (const wrong of [0, -1, 1.5, NaN, Infinity, "2", null]) {
    await rejection(() => createCodecPool({ size: wrong as number }), "invalid-argument");
    await rejection(() => createCodecPool({ maxQueuedBytes: wrong as number }), "invalid-argument");
  }
});

withPool("NodePool: starts workers with the first large job, at most as many as requested", { size: 2 }, async (pool) => {
  const small = filled(pool, new Uint8Array(1000));
  await pool.slice(small);
  small.segment.release();
  assert.is(pool.workers, 0);
  await digests(pool, 1);
  assert.is(pool.workers, 1);
  await digests(pool, 60);
  assert.is(pool.workers, 2);
  assert.is(pool.running + pool.waiting + pool.queuedBytes, 0);
});

withPool("NodePool: a worker that ends during its jobs loses none of them", { size: 2 }, async (pool) => {
  for (let kills = 0; kills < 3; kills++) {
    const { done } = await atWork(pool, 60);
    assert.ok(pool.kill(0));
    await done;
  }
  await until(() => pool.segments.inUse === 0);
  await digests(pool, 60);
  assert.is(pool.workers, 2);
});

withPool("NodePool.close(): rejects pending jobs, ends the workers, and is idempotent", { size: 1 }, async (pool) => {
  const { done } = await atWork(pool, 30);
  const rejected = rejection(() => done, "closed");
  const closing = pool.close();
  assert.is(pool.close(), closing);
  await closing;
  await rejected;
  await until(() => pool.segments.inUse === 0);
  assert.is(pool.workers, 0);
  await rejection(() => digests(pool, 1), "closed");
});

test("NodePool.close(): works on a pool that was never used, or whose worker is starting", async () => {
  await createCodecPool().close();
  const pool = new NodePool({ size: 1 });
  const pending = rejection(() => digests(pool, 1), "closed");
  await pool.close();
  await pending;
});

withPool(
  "SegmentStore: a segment is used again when its owner has released it and its job is over",
  { size: 1 },
  async (pool) => {
    const { segment, start, end } = filled(pool, new Uint8Array(SEGMENT_BYTES));
    const job = pool.slice({ segment, start, end });
    segment.release();
    const meanwhile = pool.segments.acquire();
    assert.is.not(meanwhile.buffer, segment.buffer);
    await job;
    const later = pool.segments.acquire();
    assert.is(later.buffer, segment.buffer);
    meanwhile.release();
    later.release();
  },
);

test("NodePool: a program ends by itself while workers are idle", async () => {
  const [program, ...args] = programCommand("tests/fixtures/idle_pool");
  const { stdout } = await promisify(execFile)(program, args, { timeout: 15_000 });
  assert.is(stdout.trim(), "workers left: 1");
});

test.run();
