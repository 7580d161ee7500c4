import { inBrackets, StreamError } from "../../errors.ts";
import { onAbort } from "../../common/abort.ts";
import { type Clock, systemClock } from "../../common/clock.ts";
import { callNextTurn, cancelNextTurn, type NextTurn } from "../../common/platform.ts";
import { abandoned } from "../jobs/failures.ts";
import type { JobOptions } from "../codec.ts";
import { runPinned } from "../jobs/inline_codec.ts";
import { costOf, JobCodec } from "../jobs/job_codec.ts";
import type { Job, JobResult } from "../jobs/job.ts";
import { assertPoolOptions, type CodecPool, type CodecPoolOptions, type CodecPoolStats, wholeNumber } from "./options.ts";
import type { PoolPlatform, WorkerHandle } from "./worker.ts";
import { JobQueue } from "./job_queue.ts";
import type { Task, WorkerSlot } from "./worker_slot.ts";
import { WorkerSet, type WorkerSetEvents } from "./worker_set.ts";
import type { Segment } from "../segments.ts";

/** Largest default size of a pool. With more workers, the event loop that feeds them is the bottleneck. */
const MAX_DEFAULT_SIZE = 8;

/** Default of `maxQueuedBytes`: 70 whole segments. */
const DEFAULT_MAX_QUEUED_BYTES = 16 * 1024 * 1024;

/** Messages that a worker has at a time: the present one and the next, so that it never waits for this thread. */
const DEPTH = 2;

/**
 * Most jobs in one message. A message costs both threads some 50 µs, the sha256 of a segment 140. With 1, 4, 8 jobs per message two workers
 * reach 70, 80, 90 % of two cores' hash rate.
 */
const MAX_BATCH = 8;

/** Most attempts at a job. The first worker's death may have had another cause than the job. */
const ATTEMPTS = 2;

/** Parts of the pool that tests replace. */
export interface PoolParts {
  /** Starts a worker. */
  startWorker: () => WorkerHandle;
  /** Clock for the detection of hanging workers. */
  clock: Clock;
}

/** The pool, with members for tests. */
export class WorkerPool extends JobCodec implements CodecPool {
  readonly size: number;
  readonly #platform: PoolPlatform;
  readonly #queue: JobQueue;
  readonly #workers: WorkerSet;
  #jobsDone = 0;
  #inlineJobs = 0;
  #closed: Promise<void> | undefined;
  #nextDispatch: NextTurn;

  constructor(
    platform: PoolPlatform,
    options: CodecPoolOptions = {},
    { startWorker, clock = systemClock }: Partial<PoolParts> = {},
  ) {
    super(platform);
    this.#platform = platform;
    assertPoolOptions(options);
    this.size = wholeNumber("size", options.size, Math.min(platform.parallelism, MAX_DEFAULT_SIZE));
    this.#queue = new JobQueue(wholeNumber("maxQueuedBytes", options.maxQueuedBytes, DEFAULT_MAX_QUEUED_BYTES));
    const events: WorkerSetEvents = {
      changed: () => this.#dispatch(),
      answered: (slot, tasks, results) => this.#answered(slot, tasks, results),
      lost: (_slot, tasks, failure) => this.#retry(tasks, failure),
    };
    this.#workers = new WorkerSet(platform, this.size, events, clock, options.worker, startWorker);
  }

  get workers(): number {
    return this.#workers.threads;
  }

  get hasWorkers(): boolean {
    return this.#workers.areAvailable;
  }

  get running(): number {
    return this.#workers.jobs;
  }

  get waiting(): number {
    return this.#queue.waiting;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  stats(): CodecPoolStats {
    const { workers, queuedBytes } = this;
    return { workers, jobs: this.#jobsDone, inline: this.#inlineJobs, queuedBytes };
  }

  onUnavailable(tell: (error: StreamError) => void): () => void {
    return this.#workers.onUnavailable(tell);
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Ends a worker as a crash would, for tests; false if the index has no worker. */
  kill(index: number): boolean {
    return this.#workers.crash(index);
  }

  protected submit(job: Job, segment: Segment, { signal, owner }: JobOptions): Promise<JobResult> {
    if (this.#closed !== undefined) return Promise.reject(closed());
    if (signal?.aborted) return Promise.reject(abandoned(signal));
    const cost = costOf(job);
    if (this.#platform.runsHere(job, cost)) {
      this.#inlineJobs++;
      return runPinned(job, segment, this.#platform, signal);
    }
    return new Promise((resolve, reject) => {
      let forget = (): void => undefined;
      const settle = (): boolean => {
        if (task.settled) return false;
        task.settled = true;
        forget();
        segment.unpin();
        return true;
      };
      const task: Task = {
        job,
        segment,
        cost,
        owner,
        attempts: 0,
        settled: false,
        resolve: (result) => settle() && resolve(result),
        reject: (error) => settle() && reject(error),
      };
      segment.pin(); // until the call has settled; a worker's job pins it as well
      if (signal !== undefined) {
        forget = onAbort(signal, () => {
          task.reject(abandoned(signal));
          this.#queue.remove(task);
          this.#dispatch();
        });
      }
      this.#queue.push(task);
      // Jobs of one turn of the event loop share messages, as each message costs both threads about 50 µs.
      this.#nextDispatch ??= callNextTurn(() => {
        this.#nextDispatch = undefined;
        this.#dispatch();
      });
    });
  }

  /** Gives the next jobs to workers with fewer than DEPTH unanswered messages. */
  #dispatch(): void {
    if (this.#closed !== undefined) return;
    while (this.#queue.ready > 0) {
      const slot = this.#workers.leastBusy();
      if (slot === undefined || slot.batches > 0) this.#workers.startOne();
      if (slot === undefined || slot.batches >= DEPTH || (slot.batches > 0 && this.#queue.isRetryNext)) return;
      // An equal share, so that a short queue is spread over all workers.
      const share = Math.ceil(this.#queue.ready / this.size);
      slot.give(this.#queue.take(Math.min(share, MAX_BATCH)));
    }
  }

  #answered(slot: WorkerSlot, tasks: readonly Task[], results: readonly JobResult[]): void {
    if (this.#workers.isInline(slot)) this.#inlineJobs += tasks.length;
    else this.#jobsDone += tasks.length;
    tasks.forEach((task, index) => {
      this.#queue.leave(task);
      task.resolve(results[index] as JobResult);
    });
    this.#dispatch();
  }

  /** Retries the jobs of a lost worker on another one, once. */
  #retry(tasks: readonly Task[], failure: Error | undefined): void {
    const again: Task[] = [];
    for (const task of tasks) {
      if (!task.settled && task.attempts < ATTEMPTS) {
        again.push(task);
        continue;
      }
      this.#queue.leave(task);
      task.reject(workerLost(failure));
    }
    this.#queue.putBack(again);
    this.#dispatch();
  }

  async #end(): Promise<void> {
    for (const task of this.#queue.clear()) task.reject(closed());
    if (this.#nextDispatch !== undefined) cancelNextTurn(this.#nextDispatch);
    const { unanswered, gone } = this.#workers.end();
    for (const task of unanswered) task.reject(closed());
    await gone;
    this.segments.clear();
  }
}

function closed(): StreamError {
  return new StreamError("closed", "Cannot carry the job out as the pool is closed");
}

function workerLost(cause: Error | undefined): StreamError {
  return new StreamError(
    "worker-lost",
    `Cannot finish the job as its workers ended before they answered${inBrackets(cause)}: attempts are ${ATTEMPTS}`,
    { cause },
  );
}
