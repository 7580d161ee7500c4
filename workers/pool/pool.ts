import { availableParallelism } from "node:os";
import { inBrackets, StreamError } from "../../errors.ts";
import { onAbort } from "../../protocol/abort.ts";
import { type Clock, systemClock } from "../../protocol/clock.ts";
import { INLINE_BYTES } from "../../protocol/constants.ts";
import { assertKnownNames, type OptionNames } from "../../protocol/option_names.ts";
import { abandoned } from "../jobs/abort.ts";
import type { Codec, JobOptions } from "../codec.ts";
import { runPinned } from "../jobs/inline_codec.ts";
import { startInlineWorker } from "./inline_worker.ts";
import { costOf, JobCodec } from "../jobs/job_codec.ts";
import type { Job, JobResult } from "../jobs/job.ts";
import type { StartedWorker } from "./thread.ts";
import type { WorkerHandle } from "./worker_handle.ts";
import { JobQueue } from "./job_queue.ts";
import { type SlotEvents, type Task, WorkerSlot } from "./worker_slot.ts";
import { createSegmentStore, type Segment } from "../segments.ts";

/** Workers of a pool at most, unless asked for more: beyond, the event loop that feeds them is the limit. */
const MAX_DEFAULT_SIZE = 8;

/** Bytes of jobs given to workers or next in line: 70 whole segments. */
const DEFAULT_MAX_QUEUED_BYTES = 16 * 1024 * 1024;

/** Messages a worker has at a time: one to do, and the next, so that it never waits for this thread to hear and answer. */
const DEPTH = 2;

/**
 * Jobs in one message at most. A message costs both threads some 50 µs, the sha256 of a segment 140: of what two cores can hash, two
 * workers fed from a third thread reach 0.7 with one job a message, 0.8 with four, 0.9 with eight.
 */
const MAX_BATCH = 8;

/** Attempts at a job: the worker of the first may have died of something else. */
const ATTEMPTS = 2;

/** Starts that fail one after the other until no more are tried. */
const FAILED_STARTS = 2;

/** Milliseconds without any answer until a worker counts as hanging. A job takes under one; a slow disk may take seconds. */
export const PATIENCE_MS: number = 30_000;

/** How large a pool is. */
export interface CodecPoolOptions {
  /** Workers at most; they start when there is work. Default: the machine's parallelism, at most 8. */
  size?: number;
  /** Bytes of jobs that workers have or that are next in line; further jobs wait for their place. Default 16 MiB. */
  maxQueuedBytes?: number;
  /**
   * Starts a worker on the module `millrace/worker`, in a program that is bundled: `() => new Worker(new URL("../entry/worker.js",
   * import.meta.url))`, of node:worker_threads or of the web. Default: the entry beside this module, if there is one.
   */
  worker?: () => StartedWorker;
}

/** Counts of a pool. */
export interface CodecPoolStats {
  /** Worker threads that run now, or start. */
  readonly workers: number;
  /** Jobs that worker threads have done. */
  readonly jobs: number;
  /** Jobs that were done on the pool's own thread: small ones, and all where no worker can be had. */
  readonly inline: number;
  /** Bytes of the jobs that workers have and of those next in line. */
  readonly queuedBytes: number;
}

/** Worker threads for the work on bytes, shared by any number of runtimes. Made by {@linkcode createCodecPool}. */
export interface CodecPool extends Codec, AsyncDisposable {
  /** Workers at most. */
  readonly size: number;
  /** Workers that run now, or start. */
  readonly workers: number;
  /** Jobs that workers have now. */
  readonly running: number;
  /** Jobs that wait. */
  readonly waiting: number;
  /** Bytes of the jobs that workers have and of those next in line. */
  readonly queuedBytes: number;
  /** Counts, for programs that want to know whether workers do the work. */
  stats(): CodecPoolStats;
  /** Ends the workers. What is pending, and every later call, rejects with "closed". Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes a pool of worker threads. None starts before there is work, and idle ones let the process end.
 *
 * @throws {StreamError} "invalid-argument"
 * @example
 * ```ts
 * import { createCodecPool, createHub, createRuntime } from "millrace";
 *
 * const pool = createCodecPool({ size: 2 });
 * const alice = await createRuntime({ transport: createHub().join("alice"), pool });
 * await alice.close();
 * await pool.close();
 * ```
 */
export function createCodecPool(options: CodecPoolOptions = {}): CodecPool {
  return new WorkerPool(options);
}

/** Parts that a test may replace. */
export interface PoolParts {
  /** Starts a worker. */
  startLane: () => WorkerHandle;
  /** Clock that tells whether a worker hangs. */
  clock: Clock;
}

/** The pool, with what only tests use. */
export class WorkerPool extends JobCodec implements CodecPool {
  readonly size: number;
  readonly #clock: Clock;
  readonly #queue: JobQueue;
  readonly #slots: WorkerSlot[] = [];
  readonly #seatEvents: SlotEvents;
  readonly #startWorker: (() => StartedWorker) | undefined;
  #startLane: (() => WorkerHandle) | undefined;
  /** This thread in a worker's place. */
  #inlineSeat: WorkerSlot | undefined;
  #jobsDone = 0;
  #inlineJobs = 0;
  /** Why no worker can be had, until somebody was told. */
  #untold: StreamError | undefined;
  readonly #listeners = new Set<(error: StreamError) => void>();
  #lastFailure: unknown;
  #loading = false;
  #failedStarts = 0;
  #closed: Promise<void> | undefined;
  #soon: ReturnType<typeof setImmediate> | undefined;

  constructor(options: CodecPoolOptions = {}, parts: Partial<PoolParts> = {}) {
    super(createSegmentStore());
    assertPoolOptions(options);
    this.size = wholeNumber("size", options.size, Math.min(availableParallelism(), MAX_DEFAULT_SIZE));
    this.#queue = new JobQueue(wholeNumber("maxQueuedBytes", options.maxQueuedBytes, DEFAULT_MAX_QUEUED_BYTES));
    this.#startLane = parts.startLane;
    this.#startWorker = options.worker;
    this.#clock = parts.clock ?? systemClock;
    this.#seatEvents = {
      ready: () => {
        this.#failedStarts = 0;
        this.#dispatch();
      },
      answered: (slot, tasks, results) => {
        if (slot === this.#inlineSeat) this.#inlineJobs += tasks.length;
        else this.#jobsDone += tasks.length;
        tasks.forEach((task, index) => {
          this.#queue.leave(task);
          task.resolve(results[index] as JobResult);
        });
        this.#dispatch();
      },
      lost: (slot, tasks, failure) => this.#replace(slot, tasks, failure),
    };
  }

  get workers(): number {
    return this.#slots.length - (this.#inlineSeat === undefined ? 0 : 1);
  }

  stats(): CodecPoolStats {
    const { workers, queuedBytes } = this;
    return { workers, jobs: this.#jobsDone, inline: this.#inlineJobs, queuedBytes };
  }

  /** Should no worker be to be had, one of those who ask is told, once. Returns the call that takes this back. */
  onUnavailable(tell: (error: StreamError) => void): () => void {
    this.#listeners.add(tell);
    if (this.#untold !== undefined) this.#tellUnavailable(this.#untold);
    return () => void this.#listeners.delete(tell);
  }

  get running(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.jobs, 0);
  }

  get waiting(): number {
    return this.#queue.waiting;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** For tests: ends a worker as a crash would. False if there is none of that number. */
  kill(index: number): boolean {
    const slot = this.#slots[index];
    slot?.crash();
    return slot !== undefined;
  }

  protected submit(job: Job, segment: Segment, { signal, owner }: JobOptions): Promise<JobResult> {
    if (this.#closed !== undefined) return Promise.reject(closed());
    if (signal?.aborted) return Promise.reject(abandoned(signal));
    const cost = costOf(job);
    if (cost < INLINE_BYTES && (job.kind !== "readFile" && job.kind !== "writeFile")) {
      this.#inlineJobs++;
      return runPinned(job, segment, signal);
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
      segment.pin(); // until the call has settled; whoever works on it holds it as well
      if (signal !== undefined) {
        forget = onAbort(signal, () => {
          task.reject(abandoned(signal));
          this.#queue.remove(task);
          this.#dispatch();
        });
      }
      this.#queue.push(task);
      // Jobs of one turn of the event loop go out together: each message costs both threads some 50 µs.
      this.#soon ??= setImmediate(() => {
        this.#soon = undefined;
        this.#dispatch();
      });
    });
  }

  /** Gives the next jobs to workers, as far as these take any. */
  #dispatch(): void {
    if (this.#closed !== undefined) return;
    while (this.#queue.ready > 0) {
      const slot = this.#leastBusy();
      if (slot === undefined || slot.batches > 0) this.#start();
      if (slot === undefined || slot.batches >= DEPTH || (slot.batches > 0 && this.#queue.isRetryNext)) return;
      // The share that leaves every worker its own: a short queue is not one worker's.
      const share = Math.ceil(this.#queue.ready / this.size);
      slot.give(this.#queue.take(Math.min(share, MAX_BATCH)));
    }
  }

  #leastBusy(): WorkerSlot | undefined {
    let least: WorkerSlot | undefined;
    for (const slot of this.#slots) {
      if (!slot.ready || slot.isReserved) continue;
      if (least === undefined || slot.batches < least.batches || (slot.batches === least.batches && slot.bytes < least.bytes)) {
        least = slot;
      }
    }
    return least;
  }

  /** Starts one worker more, if there may be one. One at a time: the next is worth its start only when this one is busy. */
  #start(): void {
    if (this.#slots.length >= this.size || this.#loading || this.#slots.some((slot) => !slot.ready)) return;
    if (this.#failedStarts >= FAILED_STARTS) {
      if (this.#slots.length > 0) return;
      this.#inlineSeat = this.#slot(startInlineWorker(), Infinity);
      this.#slots.push(this.#inlineSeat);
      this.#tellUnavailable(unavailable(this.#lastFailure));
    } else if (this.#startLane === undefined) {
      void this.#load();
    } else {
      try {
        this.#slots.push(this.#slot(this.#startLane(), PATIENCE_MS));
      } catch (error) {
        this.#lastFailure = error;
        this.#failedStarts++;
        this.#start();
      }
    }
  }

  #tellUnavailable(error: StreamError): void {
    const [first] = this.#listeners;
    this.#untold = first === undefined ? error : undefined;
    first?.(error);
  }

  #slot(worker: WorkerHandle, patience: number): WorkerSlot {
    return new WorkerSlot(worker, this.#seatEvents, this.#clock, patience);
  }

  /** comlink is loaded by those who use it. */
  async #load(): Promise<void> {
    this.#loading = true;
    try {
      const { startWorker } = await import("./worker_handle.ts");
      this.#startLane = () => startWorker(this.#startWorker);
    } catch (error) {
      this.#lastFailure = error;
      this.#failedStarts = FAILED_STARTS;
    }
    this.#loading = false;
    this.#dispatch();
  }

  #replace(slot: WorkerSlot, tasks: readonly Task[], failure: Error | undefined): void {
    this.#slots.splice(this.#slots.indexOf(slot), 1);
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
    if (!slot.started) {
      this.#lastFailure = failure;
      this.#failedStarts++;
    }
    this.#dispatch();
  }

  async #end(): Promise<void> {
    for (const task of this.#queue.clear()) task.reject(closed());
    if (this.#soon !== undefined) clearImmediate(this.#soon);
    const slots = this.#slots.splice(0);
    await Promise.all(slots.map(async (slot) => {
      for (const task of slot.abandon()) task.reject(closed());
      await slot.gone;
    }));
    this.segments.clear();
  }
}

function unavailable(cause: unknown): StreamError {
  const message = `Cannot start workers${inBrackets(cause)}, and all work is done on this thread: see "Bundling" in the README`;
  return new StreamError("worker-lost", message, { cause });
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

const POOL_OPTIONS: OptionNames<CodecPoolOptions> = { size: true, maxQueuedBytes: true, worker: true };

function assertPoolOptions(options: unknown): void {
  const action = "Cannot make the pool";
  if (typeof options !== "object" || options === null) {
    throw new StreamError("invalid-argument", `${action} as the options are no object: ${String(options)}`);
  }
  assertKnownNames(options, POOL_OPTIONS, action);
  const { worker } = options as { worker?: unknown };
  if (worker !== undefined && typeof worker !== "function") {
    throw new StreamError("invalid-argument", `${action} as "worker" is not a function: its type is "${typeof worker}"`);
  }
}

function wholeNumber(name: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
  throw new StreamError(
    "invalid-argument",
    `Cannot make the pool as ${name} is not a whole number above zero: ${name} is ${String(value)}`,
  );
}
