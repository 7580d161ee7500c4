// The pool with fake workers: crashes, hangs, aborts, a full queue.
import * as assert from "uvu/assert";
import { SEGMENT_BYTES } from "../../protocol/constants.ts";
import { yieldToEventLoop } from "../../common/event_loop.ts";
import type { EncodedSegment } from "../../workers/codec.ts";
import type { CodecPoolOptions } from "../../workers/pool/options.ts";
import { NodePool } from "../../workers/pool/node_pool.ts";
import { PATIENCE_MS } from "../../workers/pool/worker_set.ts";
import type { Segment } from "../../workers/segments.ts";
import { filled, sha256 } from "../support/conformance/codec.ts";
import { FakeWorkerHandle } from "../support/fake_worker_handle.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { VirtualTime } from "../support/hub/virtual_time.ts";

const test = suite("NodePool: losses");

interface Stage {
  readonly pool: NodePool;
  readonly time: VirtualTime;
  /** All workers, in order of their start. */
  readonly workers: readonly FakeWorkerHandle[];
  worker(index: number): FakeWorkerHandle;
}

function stage(options: CodecPoolOptions = {}): Stage {
  const workers: FakeWorkerHandle[] = [];
  const time = new VirtualTime();
  const startWorker = (): FakeWorkerHandle => {
    const worker = new FakeWorkerHandle();
    workers.push(worker);
    worker.start();
    return worker;
  };
  return {
    pool: new NodePool({ size: 1, ...options }, { startWorker, clock: time }),
    time,
    workers,
    worker(index) {
      const worker = workers[index];
      assert.ok(worker, `worker ${index} was started`);
      return worker as FakeWorkerHandle;
    },
  };
}

/** A job with its segment. */
function job(pool: NodePool, fill?: number, signal?: AbortSignal): { segment: Segment; done: Promise<EncodedSegment> } {
  const span = filled(pool, new Uint8Array(SEGMENT_BYTES).fill(fill ?? 0));
  const done = pool.slice(span, undefined, signal && { signal });
  done.catch(() => undefined); // looked at later
  span.segment.release();
  return { segment: span.segment, done };
}

async function turns(): Promise<void> {
  for (let count = 0; count < 3; count++) await yieldToEventLoop();
}

test("NodePool: a job whose worker crashes runs again in another", async () => {
  const { pool, worker } = stage();
  const { done } = job(pool, 7);
  await turns();
  worker(0).end(new Error("out of memory"));
  await turns();
  worker(1).answer();
  assert.equal((await done).digest, sha256(new Uint8Array(SEGMENT_BYTES).fill(7)));
  assert.is(pool.segments.inUse, 0);
});

test("NodePool: a job whose second worker crashes too is lost, and the pool goes on", async () => {
  const { pool, worker } = stage();
  const { done } = job(pool);
  await turns();
  worker(0).end();
  await turns();
  worker(1).end(new Error("again"));
  assert.is(((await rejection(() => done, "worker-lost")).cause as Error).message, "again");
  assert.is(pool.segments.inUse, 0);
  const next = job(pool);
  await turns();
  worker(2).answer();
  await next.done;
  assert.is(pool.queuedBytes, 0);
});

test("NodePool: jobs that shared a worker with a deadly one survive", async () => {
  const { pool, workers, worker } = stage();
  const jobs = Array.from({ length: 6 }, (_, index) => job(pool, index));
  await turns();
  worker(0).end();
  await turns();
  for (let index = 1; index < 20 && pool.running > 0; index++) {
    // The third job is the deadly one. Each repeated job has a worker for itself.
    const current = workers.findLast((each) => each.messages.length > 0);
    const [message] = current?.messages ?? [];
    assert.is(message?.length, 1);
    if (message?.[0]?.buffer === jobs[2]?.segment.buffer) current?.end();
    else current?.answer();
    await turns();
  }
  await rejection(() => jobs[2]?.done, "worker-lost");
  for (const [index, { done }] of jobs.entries()) if (index !== 2) await done;
});

test("NodePool: a worker that hangs is ended, and its jobs run elsewhere", async () => {
  const { pool, time, worker } = stage();
  const { done } = job(pool);
  await turns();
  await time.advance(PATIENCE_MS - 1);
  assert.not(worker(0).terminated);
  await time.advance(1);
  assert.ok(worker(0).terminated);
  worker(1).answer();
  await done;
  assert.is(pool.segments.inUse > 0, true, "the thread that hangs may still write");
  worker(0).end();
  await turns();
  assert.is(pool.segments.inUse, 0);
});

test("NodePool: a worker that answers now and then does not hang", async () => {
  const { pool, time, worker } = stage();
  const jobs = Array.from({ length: 30 }, () => job(pool));
  await turns();
  for (let answers = 0; answers < 30; answers++) {
    await time.advance(PATIENCE_MS - 1);
    worker(0).answer();
    await turns();
  }
  for (const { done } of jobs) await done;
  assert.not(worker(0).terminated);
  assert.is(time.pending, 0, "timers of an idle pool");
});

test("NodePool: a worker keeps the process alive only while it has jobs", async () => {
  const { pool, worker } = stage();
  const first = job(pool);
  await turns();
  assert.ok(worker(0).referenced);
  worker(0).answer();
  await first.done;
  assert.not(worker(0).referenced);
  const second = job(pool);
  await turns();
  assert.ok(worker(0).referenced);
  worker(0).answer();
  await second.done;
});

test("NodePool: an aborted job leaves the queue, and the next takes its place", async () => {
  const { pool, worker } = stage({ maxQueuedBytes: 2 * SEGMENT_BYTES });
  const controller = new AbortController();
  const jobs = [job(pool), job(pool), job(pool, 1, controller.signal), job(pool, 2)];
  await turns();
  assert.is(pool.waiting, 2);
  controller.abort("enough");
  assert.is((await rejection(() => jobs[2]?.done, "aborted")).cause, "enough");
  assert.is(pool.waiting, 1);
  for (let answers = 0; answers < 3; answers++) {
    worker(0).answer();
    await turns();
  }
  assert.equal((await jobs[3]?.done)?.digest, sha256(new Uint8Array(SEGMENT_BYTES).fill(2)));
});

test("NodePool: an aborted running job keeps its segment until its worker has answered", async () => {
  const { pool, worker } = stage();
  const controller = new AbortController();
  const { done } = job(pool, 0, controller.signal);
  await turns();
  assert.is(pool.running, 1);
  controller.abort();
  await rejection(() => done, "aborted");
  assert.is.not(pool.segments.inUse, 0);
  worker(0).answer();
  await turns();
  assert.is(pool.segments.inUse, 0);
  assert.is(pool.queuedBytes, 0);
});

test("NodePool: an aborted job does not run again", async () => {
  const { pool, worker, workers } = stage();
  const controller = new AbortController();
  const { done } = job(pool, 0, controller.signal);
  await turns();
  controller.abort();
  worker(0).end();
  await rejection(() => done, "aborted");
  await turns();
  assert.is(workers.length, 1);
  assert.is(pool.queuedBytes, 0);
  assert.is(pool.segments.inUse, 0);
});

test("NodePool: the queue holds at most the allowed bytes, and jobs pass in order", async () => {
  const { pool, worker } = stage({ maxQueuedBytes: 3 * SEGMENT_BYTES });
  const order: number[] = [];
  const jobs = Array.from({ length: 10 }, (_, index) => job(pool, index).done.then(() => void order.push(index)));
  for (let answers = 0; answers < 10; answers++) {
    await turns();
    assert.ok(pool.queuedBytes <= 3 * SEGMENT_BYTES);
    assert.ok(pool.running <= 3);
    worker(0).answer();
  }
  await Promise.all(jobs);
  assert.equal(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.is(pool.queuedBytes, 0);
});

test("NodePool: a job larger than the queue passes alone", async () => {
  const { pool, worker } = stage({ maxQueuedBytes: 1 });
  const jobs = [job(pool), job(pool)];
  for (const { done } of jobs) {
    await turns();
    assert.is(pool.running, 1);
    worker(0).answer();
    await done;
  }
});

test("NodePool: jobs go to the least busy worker", async () => {
  const { pool, worker, workers } = stage({ size: 2 });
  const warmUp = Array.from({ length: 4 }, () => job(pool));
  while (pool.running + pool.waiting > 0 || workers.length < 2) {
    await turns();
    for (const each of workers) each.answer();
  }
  await Promise.all(warmUp.map(({ done }) => done));
  const jobs = [job(pool), job(pool)];
  await turns();
  assert.equal([worker(0).messages.length, worker(1).messages.length], [1, 1]);
  worker(1).answer();
  await jobs[1]?.done;
  jobs.push(job(pool));
  await turns();
  assert.equal([worker(0).messages.length, worker(1).messages.length], [1, 1]);
  worker(0).answer();
  worker(1).answer();
  await Promise.all(jobs.map(({ done }) => done));
});

test("NodePool: if no worker can be started, this thread does the work", async () => {
  const failing = [
    (): FakeWorkerHandle => {
      throw new Error("no threads here");
    },
    (): FakeWorkerHandle => {
      const worker = new FakeWorkerHandle();
      worker.end(new Error("no such module"));
      return worker;
    },
  ];
  for (const startWorker of failing) {
    const pool = new NodePool({}, { startWorker });
    const jobs = Array.from({ length: 5 }, (_, index) => job(pool, index));
    for (const [index, { done }] of jobs.entries()) {
      assert.equal((await done).digest, sha256(new Uint8Array(SEGMENT_BYTES).fill(index)));
    }
    assert.is(pool.segments.inUse, 0);
    await pool.close();
  }
});

test("NodePool: a worker that never gets ready is given up", async () => {
  const time = new VirtualTime();
  const pool = new NodePool({ size: 1 }, { startWorker: () => new FakeWorkerHandle(), clock: time });
  const { done } = job(pool);
  await time.advance(2 * PATIENCE_MS);
  await done;
});

test("NodePool: one failed start is repeated", async () => {
  let starts = 0;
  const workers: FakeWorkerHandle[] = [];
  const pool = new NodePool({ size: 1 }, {
    startWorker: () => {
      const worker = new FakeWorkerHandle();
      if (starts++ === 0) worker.end();
      else worker.start();
      workers.push(worker);
      return worker;
    },
  });
  const { done } = job(pool);
  await turns();
  workers[1]?.answer();
  await done;
  assert.is(starts, 2);
});

test("NodePool: only consecutive failed starts count", async () => {
  let starts = 0;
  const workers: FakeWorkerHandle[] = [];
  const pool = new NodePool({ size: 1 }, {
    startWorker: () => {
      const worker = new FakeWorkerHandle();
      if (starts++ % 2 === 0) worker.end(new Error("not this time"));
      else worker.start();
      workers.push(worker);
      return worker;
    },
  });
  for (let crashes = 0; crashes < 5; crashes++) {
    const { done } = job(pool, crashes);
    await turns();
    workers.at(-1)?.answer();
    assert.equal((await done).digest, sha256(new Uint8Array(SEGMENT_BYTES).fill(crashes)));
    assert.is(starts, 2 * (crashes + 1));
    workers.at(-1)?.end();
    await turns();
  }
  assert.is(pool.stats().inline, 0);
  assert.is(pool.stats().jobs, 5);
});

test("NodePool: a job that is tried again waits for an idle worker", async () => {
  const { pool, worker, workers } = stage({ size: 2 });
  while (workers.length < 2 || pool.running + pool.waiting > 0) {
    if (workers.length < 2) { for (let count = 0; count < 4; count++) job(pool); }
    await turns();
    for (const each of workers) each.answer();
  }
  const jobs = [job(pool, 1), job(pool, 2)];
  await turns();
  assert.equal(workers.map(({ messages }) => messages.length), [1, 1]);
  worker(0).end();
  await turns();
  assert.is(worker(1).messages.length, 1, "the other worker is given nothing more");
  assert.is(worker(2).messages.flat().length, 1);
  worker(2).answer();
  worker(1).answer();
  await Promise.all(jobs.map(({ done }) => done));
});

test("NodePool: a job that is tried again shares its worker with no job before or after", async () => {
  const { pool, workers } = stage({ size: 2 });
  const first = job(pool, 1);
  await turns();
  workers[0]?.end();
  await turns();
  const holder = workers.find((worker, index) => index > 0 && worker.messages.length > 0);
  assert.is(holder?.messages.flat().length, 1);
  const others = Array.from({ length: 40 }, (_, index) => job(pool, index));
  await turns();
  assert.is(holder?.messages.flat().length, 1, "nothing joins it");
  holder?.answer();
  await first.done;
  for (let rounds = 0; rounds < 100 && pool.running + pool.waiting > 0; rounds++) {
    for (const worker of workers) worker.answer();
    await turns();
  }
  for (const { done } of others) await done;
});

test.run();
