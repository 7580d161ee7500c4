// Jobs in a page: workers that die, compressed bombs, actors of xstate.
import * as assert from "uvu/assert";
import { createActor, type InspectionEvent, toPromise, waitFor } from "xstate";
import { sendBytesActor, sendTextActor } from "../../../actors/mod.ts";
import { createHub, createRuntime } from "../../../browser.ts";
import { SEGMENT_BYTES, SEGMENT_HEADROOM } from "../../../protocol/constants.ts";
import { deflate, inflate } from "../../../workers/browser/deflate.ts";
import { BrowserEngine } from "../../../workers/browser/engine.ts";
import type { WorkerPool } from "../../../workers/pool/pool.ts";
import { freeMemory } from "../../../common/platforms/freed_memory.ts";
import { difference, pattern } from "../../support/bytes.ts";
import { suite } from "../../support/browser/page_harness.ts";
import { createCodecPool, sharedCodecPool, startPageWorker } from "../../support/browser/page_platform.ts";
import { rejection } from "../../support/rejections.ts";
import { until } from "../../support/waiting.ts";

const test = suite("jobs of a page");

const engine = new BrowserEngine();

/** Longest hold of the page by a bomb, in ms: the quickest of several tries, as other programs hold it too. */
const LONGEST_HOLD = 50;

test("createCodecPool: workers compress, and stats() says so", () =>
  withPool(2, async (pool) => {
    await compressions(pool, 8);
    const { jobs, inline, workers } = pool.stats();
    assert.equal([jobs, inline], [8, 0]);
    assert.ok(workers >= 1);
  }));

test("createCodecPool: a worker that dies in mid-job loses none of its jobs", () =>
  withPool(2, async (pool) => {
    for (let round = 0; round < 3; round++) {
      const done = compressions(pool, 40);
      await until(() => pool.running > 0);
      assert.ok(pool.kill(0));
      await done;
    }
    await until(() => pool.segments.inUse === 0);
    assert.is(pool.stats().inline, 0);
  }));

test("createCodecPool: a worker whose module is missing is told once, and the page does the jobs", async () => {
  const pool = createCodecPool({ size: 2, worker: () => new Worker("/missing.js", { type: "module" }) }) as WorkerPool;
  const told: string[] = [];
  pool.onUnavailable(({ code }) => told.push(code));
  try {
    await compressions(pool, 4);
    assert.equal([told, pool.stats().jobs, pool.stats().inline], [["worker-lost"], 0, 4]);
  } finally {
    await pool.close();
  }
});

test("createCodecPool: wrong options are invalid arguments", async () => {
  for (const options of [{ size: 0 }, { worker: "/worker.js" }, { sise: 1 }]) {
    await rejection(() => createCodecPool(options as object), "invalid-argument");
  }
});

test("deflate: the browser inflates its result to the same bytes", async () => {
  for (const length of [0, 1, 16_384, 16_385, 300_000]) {
    const plain = pattern(length);
    const stream = new Blob([await deflate(plain, engine)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    assert.is(difference(new Uint8Array(await new Response(stream).arrayBuffer()), plain), "none", `${length} bytes`);
  }
});

test("deflate, inflate: reject as soon as a pause does", async () => {
  const aborted = { drop: () => {}, duePause: () => Promise.reject(new RangeError("aborted")) };
  const outcome = (run: Promise<unknown>): Promise<unknown> => run.then(() => "done", (error: Error) => error.message);
  assert.is(await outcome(deflate(pattern(300_000), aborted)), "aborted");
  assert.is(await outcome(inflate(await deflated(pattern(300_000)), 300_000, aborted)), "aborted");
});

test("freeMemory: takes large memory from its owner, once 200 kB have come together", () => {
  const large = Array.from({ length: 30 }, () => new ArrayBuffer(15_000));
  const [one, gone] = [new ArrayBuffer(4_095), new ArrayBuffer(15_000)];
  for (const buffer of [one, gone, gone]) freeMemory(buffer);
  structuredClone(gone, { transfer: [gone] });
  for (const buffer of large) freeMemory(buffer);
  assert.is(one.byteLength, 4_095, "small memory");
  const left = large.filter(({ byteLength }) => byteLength > 0);
  assert.ok(left.length < 14, `${left.length} of 30 are left`);
});

test("inflate: gives exactly the stated bytes", async () => {
  const plain = pattern(300_000);
  assert.is(difference(await inflate(await deflated(plain), plain.length, engine), plain), "none");
  assert.is((await inflate(await deflated(new Uint8Array(0)), 0, engine)).length, 0);
});

test("inflate: fewer or more bytes than stated, trailing bytes and garbage are refused", async () => {
  const bytes = await deflated(pattern(300_000));
  for (const length of [0, 1, 299_999, 300_001]) await refuses(bytes, length);
  await refuses(joined(bytes, Uint8Array.of(0)), 300_000);
  await refuses(joined(bytes, bytes), 300_000);
  await refuses(bytes.subarray(0, -1), 300_000);
  await refuses(pattern(1_000), 300_000);
});

test("inflate: a bomb holds the page no longer than a frame", async () => {
  const bomb = await deflated(new Uint8Array(256 * 1024 * 1024));
  assert.ok(bomb.length > SEGMENT_BYTES);
  let hold = Infinity;
  for (let tries = 0; tries < 5 && hold > LONGEST_HOLD; tries++) {
    hold = Math.min(hold, await longestHold(() => refuses(bomb, SEGMENT_BYTES)));
  }
  assert.ok(hold <= LONGEST_HOLD, `${hold} ms`);
}, { seconds: 60 });

test("sendTextActor, sendBytesActor: output the info in a page, and inspect sees actors", async () => {
  const hub = createHub();
  const seen = new Set<string>();
  const inspect = ({ type }: InspectionEvent): void => void seen.add(type);
  const alice = await createRuntime({ transport: hub.join("alice"), pool: sharedCodecPool(), inspect });
  const bob = await createRuntime({ transport: hub.join("bob"), pool: sharedCodecPool() });
  const got: unknown[] = [];
  bob.registerTextStreamHandler("t", async (reader) => void got.push(await reader.readAll()));
  bob.registerByteStreamHandler("t", async (reader) => void got.push((await reader.readAll()).length));
  const options = { topic: "t", confirm: true };
  const text = createActor(sendTextActor, { input: { runtime: alice, text: "hello", options } }).start();
  assert.is((await toPromise(text)).topic, "t");
  const bytes = createActor(sendBytesActor, { input: { runtime: alice, data: pattern(100_000), options } }).start();
  await waitFor(bytes, ({ status }) => status === "done");
  assert.equal(got, ["hello", 100_000]);
  assert.ok(seen.has("@xstate.snapshot"));
  await alice.close();
  await bob.close();
});

test.run();

async function withPool(size: number, body: (pool: WorkerPool) => Promise<void>): Promise<void> {
  const pool = createCodecPool({ size, worker: startPageWorker }) as WorkerPool;
  try {
    await body(pool);
  } finally {
    await pool.close();
  }
}

/** Compresses segments at once, which only workers do. */
async function compressions(pool: WorkerPool, count: number): Promise<void> {
  const bytes = new TextEncoder().encode("words and words and ".repeat(SEGMENT_BYTES / 20));
  await Promise.all(Array.from({ length: count }, async () => {
    const segment = pool.segments.acquire(SEGMENT_HEADROOM + bytes.length);
    segment.bytes.set(bytes, SEGMENT_HEADROOM);
    const span = { segment, start: SEGMENT_HEADROOM, end: SEGMENT_HEADROOM + bytes.length };
    const { compressed } = await pool.slice(span, { encoding: "deflate-raw", thorough: false, sample: false });
    const payload = new Uint8Array(compressed ?? new ArrayBuffer(0)).slice(SEGMENT_HEADROOM);
    assert.is(difference(await inflate(payload, bytes.length, engine), bytes), "none");
    segment.release();
  }));
}

async function deflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}

async function refuses(bytes: Uint8Array<ArrayBuffer>, length: number): Promise<void> {
  const outcome = await inflate(bytes, length, engine).then(({ length: got }) => `${got} bytes`, () => "refused");
  assert.is(outcome, "refused", `${bytes.length} bytes for ${length}`);
}

/** Longest time between two ticks of 4 ms while work is done, in ms beyond these. */
async function longestHold(work: () => Promise<void>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const ticks = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last - 4);
    last = now;
  }, 4);
  await work();
  await new Promise((resolve) => setTimeout(resolve, 8));
  clearInterval(ticks);
  return longest;
}
