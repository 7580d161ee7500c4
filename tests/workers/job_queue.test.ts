// The order of a pool's jobs: each owner's in order, owners in turn, and never more bytes admitted than allowed.
import { join } from "node:path";
import * as assert from "uvu/assert";
import { yieldToEventLoop } from "../../common/event_loop.ts";
import type { EncodedSegment, JobOptions } from "../../workers/codec.ts";
import type { Job, JobResult } from "../../workers/jobs/job.ts";
import { NodePool } from "../../workers/pool/node_pool.ts";
import { JobQueue } from "../../workers/pool/job_queue.ts";
import type { Task } from "../../workers/pool/worker_slot.ts";
import type { Segment } from "../../workers/segments.ts";
import { filled } from "../support/conformance/codec.ts";
import { FakeWorkerHandle } from "../support/fake_worker_handle.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("JobQueue");

function task(owner: string | undefined, cost = 1): Task {
  return {
    job: undefined as unknown as Job,
    segment: undefined as unknown as Task["segment"],
    cost,
    owner,
    attempts: 0,
    settled: false,
    resolve: () => {},
    reject: () => {},
  };
}

/** Owners in the order in which a worker with one job at a time gets their jobs. */
function served(queue: JobQueue, most: number): (string | undefined)[] {
  const owners: (string | undefined)[] = [];
  for (let batch = queue.take(most); batch.length > 0; batch = queue.take(most)) {
    for (const each of batch) {
      owners.push(each.owner);
      queue.leave(each);
    }
  }
  return owners;
}

test("JobQueue: a thousand jobs of one owner delay another's job by one job, admitted or not", () => {
  for (const bound of [1, 10, 100, 10_000]) {
    const queue = new JobQueue(bound);
    for (let count = 0; count < 1000; count++) queue.push(task("many"));
    queue.push(task("one"));
    queue.push(task(undefined));
    const owners = served(queue, 1);
    assert.is(owners.length, 1002);
    // Jobs admitted earlier may come first where the bound keeps this one outside, and one turn of each owner.
    assert.ok(owners.indexOf("one") <= (bound < 1000 ? bound : 0) + 1, `bound ${bound}: place ${owners.indexOf("one")}`);
    assert.ok(owners.indexOf(undefined) <= (bound < 1000 ? bound : 0) + 2, `bound ${bound}: ${owners.indexOf(undefined)}`);
    assert.is(queue.bytes + queue.waiting, 0);
  }
});

test("JobQueue: owners take turns in a batch, each with its jobs in order", () => {
  const queue = new JobQueue(1000);
  const tasks = ["a", "a", "a", "b", "b", "c"].map((owner) => task(owner));
  for (const each of tasks) queue.push(each);
  assert.equal(queue.take(4).map((each) => tasks.indexOf(each)), [0, 3, 5, 1]);
  assert.equal(queue.take(4).map((each) => tasks.indexOf(each)), [4, 2]);
});

test("JobQueue: admitted bytes never exceed the bound, except for one job that is larger", () => {
  const queue = new JobQueue(10);
  for (const cost of [4, 4, 4, 30, 1]) queue.push(task("a", cost));
  assert.is(queue.bytes, 8);
  assert.is(queue.ready, 2);
  const [first, second] = queue.take(2);
  queue.leave(first as Task);
  assert.is(queue.bytes, 8);
  queue.leave(second as Task);
  const [third] = queue.take(1);
  assert.is(queue.ready, 0, "the large one waits until it is alone");
  queue.leave(third as Task);
  assert.is(queue.bytes, 30);
  const [large] = queue.take(1);
  queue.leave(large as Task);
  assert.is(queue.bytes, 1);
});

test("JobQueue: a job that is tried again comes first and alone", () => {
  const queue = new JobQueue(1000);
  for (const owner of ["a", "a", "b"]) queue.push(task(owner));
  const taken = queue.take(2);
  assert.is(queue.isRetryNext, false);
  for (const each of taken) each.attempts = 1;
  queue.putBack(taken);
  assert.ok(queue.isRetryNext);
  assert.equal(queue.take(8), [taken[0]]);
  assert.equal(queue.take(8), [taken[1]]);
  assert.is(queue.isRetryNext, false);
  assert.is(queue.take(8).length, 1);
});

test("JobQueue: a removed job gives its place to the next, and its owner's turn", () => {
  const queue = new JobQueue(2);
  const [a, b, c, d] = ["a", "b", "a", "c"].map((owner) => task(owner)) as [Task, Task, Task, Task];
  for (const each of [a, b, c, d]) queue.push(each);
  assert.is(queue.ready, 2);
  queue.remove(c); // outside
  queue.remove(a); // let through: d comes in
  assert.is(queue.bytes, 2);
  assert.equal(queue.take(8), [b, d]);
  queue.remove(b); // runs: its memory is in use
  assert.is(queue.bytes, 2);
  queue.putBack([b]);
  queue.remove(b);
  assert.is(queue.bytes, 1);
  assert.is(queue.waiting, 0);
});

test("JobQueue.clear(): removes all jobs, whatever they wait for", () => {
  const queue = new JobQueue(2);
  const tasks = ["a", "b", "a", "c"].map((owner) => task(owner));
  for (const each of tasks) queue.push(each);
  const again = queue.take(1);
  queue.putBack(again);
  assert.is(new Set(queue.clear()).size, 4);
  assert.is(queue.waiting + queue.bytes, 0);
});

test("NodePool: runs one owner's job beside another's hundred", async () => {
  const worker = new FakeWorkerHandle();
  worker.start();
  const pool = new NodePool({ size: 1 }, { startWorker: () => worker });
  const submit = (owner: string): { segment: Segment; done: Promise<EncodedSegment> } => {
    const span = filled(pool, new Uint8Array(100_000));
    span.segment.release();
    return { segment: span.segment, done: pool.slice(span, undefined, { owner }) };
  };
  const many = Array.from({ length: 100 }, () => submit("many").done);
  const one = submit("one");
  for (let turns = 0; turns < 3; turns++) await yieldToEventLoop();
  assert.ok(worker.messages.flat().slice(0, 2).some((job) => job.buffer === one.segment.buffer));
  const done = Promise.all([...many, one.done]);
  while (pool.running > 0) {
    worker.answer();
    await yieldToEventLoop();
  }
  await done;
  worker.end();
  await pool.close();
});

/** A pool that notes the owners of its jobs. */
class NotedPool extends NodePool {
  readonly owners = new Set<string | undefined>();

  protected override submit(job: Job, segment: Segment, options: JobOptions): Promise<JobResult> {
    this.owners.add(`${job.kind} for ${options.owner}`);
    return super.submit(job, segment, options);
  }
}

test("NodePool: jobs of a receiver belong to its senders", () =>
  inTemporaryFolder(async (folder) => {
    const pool = new NotedPool({ size: 1 });
    await inPair(async (alice, bob) => {
      bob.registerTextStreamHandler("t", async (reader) => void await reader.readAll());
      await alice.sendText("x".repeat(50_000), { topic: "t", confirm: true });
      for (const use of ["read", "save"]) {
        bob.registerByteStreamHandler(use, async (reader) => {
          if (use === "read") await reader.readAll();
          else await reader.saveTo(join(folder, "saved"));
        });
        await alice.sendBytes(pattern(50_000), { topic: use });
        await bob.sendBytes(pattern(50_000));
      }
    }, { runtime: { pool }, hub: { link: { kind: "reliable", delay: 1 } } }); // without a link, frames are not checked again
    await pool.close();
    const of = (kind: string): string[] => [...pool.owners].filter((owner) => owner?.startsWith(kind)) as string[];
    for (const kind of ["extract", "decodeText", "writeFile"]) assert.equal(of(kind), [`${kind} for alice`]);
    assert.equal(of("slice"), ["slice for undefined"]);
  }));

test.run();
