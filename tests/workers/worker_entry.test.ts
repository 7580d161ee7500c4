// Workers: started on our own entry or by the user, counted, and reported if they cannot be started.
import { Worker } from "node:worker_threads";
import * as assert from "uvu/assert";
import { type CodecPoolOptions, createCodecPool, createHub, createRuntime, type StreamError } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { rejection } from "../support/rejections.ts";

const test = suite("worker entry");

/** Wrong values of the worker option: none of them can be started. */
const FAILED: readonly (() => unknown)[] = [
  () => {
    throw new Error("no threads here");
  },
  () => undefined,
  () => ({}),
];

/** Sends 3 MB between two runtimes on a pool. Gives the errors of both, and the pool's counts. */
async function transfer(options: CodecPoolOptions): Promise<{ errors: StreamError[]; stats: object }> {
  const pool = createCodecPool({ size: 1, ...options });
  const errors: StreamError[] = [];
  const hub = createHub();
  const onError = (error: StreamError): void => void errors.push(error);
  const alice = await createRuntime({ transport: hub.join("alice"), pool, onError });
  const bob = await createRuntime({ transport: hub.join("bob"), pool, onError });
  bob.registerByteStreamHandler("t", async (reader) => void await reader.readAll());
  for (let i = 0; i < 2; i++) await alice.sendBytes(pattern(1_500_000), { topic: "t", destinationIdentities: ["bob"] });
  const { workers, jobs, inline, queuedBytes } = pool.stats();
  await alice.close();
  await bob.close();
  await pool.close();
  return { errors, stats: { workers, hasJobs: jobs > 0, isInline: inline > 0, queuedBytes } };
}

const entry = new URL("../../workers/entry/entry.js", import.meta.url);

test("createCodecPool: starts its own entry, and counts workers", async () => {
  const { errors, stats } = await transfer({});
  assert.equal(errors, []);
  assert.equal(stats, { workers: 1, hasJobs: true, isInline: false, queuedBytes: 0 });
});

test("createCodecPool: takes the worker that its option starts", async () => {
  let started = 0;
  const { errors, stats } = await transfer({
    worker: () => {
      started++;
      return new Worker(entry);
    },
  });
  assert.is(started, 1);
  assert.equal(errors, []);
  assert.equal(stats, { workers: 1, hasJobs: true, isInline: false, queuedBytes: 0 });
});

test("createCodecPool: works on this thread if workers cannot be started, and says so once", async () => {
  for (const worker of FAILED) {
    const { errors, stats } = await transfer({ worker: worker as () => Worker });
    assert.equal(errors.map(({ code }) => code), ["worker-lost"]);
    assert.match(errors[0]?.message ?? "", /Cannot start workers/);
    assert.equal(stats, { workers: 0, hasJobs: false, isInline: true, queuedBytes: 0 });
  }
});

test("createCodecPool: a worker option that is no function is an invalid argument", async () => {
  for (const worker of [null, "worker.js", {}, new URL("file:///worker.js")]) {
    await rejection(() => createCodecPool({ worker: worker as never }), "invalid-argument");
  }
});

test.run();
