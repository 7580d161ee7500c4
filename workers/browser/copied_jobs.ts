// Jobs for workers of pages without shared memory: each message takes a copy of the bytes that its jobs use.
import { transfer } from "comlink";
import type { Job, JobResult } from "../jobs/job.ts";
import type { WorkerHandle } from "../pool/worker.ts";

/** Most buffers that are kept for the next reads: as many as one message has jobs. */
const MAX_SPARE = 8;

/** Gives a worker copies of its jobs' bytes, and puts what it read into the jobs' own memory. The bytes outlive a worker that dies. */
export function withCopies(worker: WorkerHandle): WorkerHandle {
  /** Buffers that came back. */
  const spare: ArrayBuffer[] = [];
  const { ready, gone, ref, unref, terminate } = worker;
  return {
    ready,
    gone,
    ref,
    unref,
    terminate,
    run: async (jobs) => {
      const copies = jobs.map((job) => copyOf(job, spare));
      const results = await worker.run(transfer(copies, copies.map(({ buffer }) => buffer as ArrayBuffer)));
      return results.map((result, index) => ownResult(jobs[index] as Job, result, spare));
    },
  };
}

/** The same job on a copy of its bytes; of a file that is read, on other memory. */
function copyOf(job: Job, spare: ArrayBuffer[]): Job {
  if (job.kind === "readFile") return { ...job, buffer: bufferOf(job.length, spare), start: 0 };
  return { ...job, buffer: job.buffer.slice(job.start, job.end), start: 0, end: job.end - job.start };
}

function bufferOf(bytes: number, spare: ArrayBuffer[]): ArrayBuffer {
  const last = spare.pop();
  return last !== undefined && last.byteLength >= bytes ? last : new ArrayBuffer(bytes);
}

/** The result in terms of the job's own memory. */
function ownResult(job: Job, result: JobResult, spare: ArrayBuffer[]): JobResult {
  if (!result.ok) return result;
  const { copy, ...value } = result.value;
  const moved = { ...value, ends: value.ends.map((end) => end + job.start) };
  if (job.kind !== "readFile") return { ok: true, value: copy === undefined ? moved : { ...moved, copy } };
  if (copy !== undefined) {
    new Uint8Array(job.buffer, job.start).set(new Uint8Array(copy, 0, value.bytes));
    if (spare.length < MAX_SPARE) spare.push(copy);
  }
  return { ok: true, value: moved };
}
