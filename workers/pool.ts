import { availableParallelism } from "node:os";
import { StreamError } from "../errors.ts";
import { type Clock, systemClock } from "../protocol/clock.ts";
import { INLINE_BYTES } from "../protocol/constants.ts";
import type { Codec } from "./codec.ts";
import { runPinned } from "./inline.ts";
import { startInlineLane } from "./inline_lane.ts";
import { abandoned, costOf, JobCodec } from "./job_codec.ts";
import type { Job, JobResult } from "./jobs.ts";
import type { Lane } from "./lane.ts";
import { Seat, type SeatEvents, type Task } from "./seat.ts";
import { createSegmentStore, type Segment } from "./segments.ts";

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

/** What a test may replace. */
export interface PoolParts {
  /** Starts a worker. */
  startLane: () => Lane;
  /** What tells whether a worker hangs. */
  clock: Clock;
}

/** The pool, with what only tests use. */
export class WorkerPool extends JobCodec implements CodecPool {
  readonly size: number;
  readonly #maxQueuedBytes: number;
  readonly #clock: Clock;
  readonly #seats: Seat[] = [];
  /** Jobs next in line, their bytes counted in `#queuedBytes` as those of the running ones are. */
  readonly #queue: Task[] = [];
  /** Jobs that wait for a place in the line. */
  readonly #outside: Task[] = [];
  readonly #seatEvents: SeatEvents;
  #queuedBytes = 0;
  #startLane: (() => Lane) | undefined;
  #loading = false;
  #failedStarts = 0;
  #closed: Promise<void> | undefined;

  constructor(options: CodecPoolOptions = {}, parts: Partial<PoolParts> = {}) {
    super(createSegmentStore());
    this.size = wholeNumber("size", options.size, Math.min(availableParallelism(), MAX_DEFAULT_SIZE));
    this.#maxQueuedBytes = wholeNumber("maxQueuedBytes", options.maxQueuedBytes, DEFAULT_MAX_QUEUED_BYTES);
    this.#startLane = parts.startLane;
    this.#clock = parts.clock ?? systemClock;
    this.#seatEvents = {
      ready: () => {
        this.#failedStarts = 0;
        this.#dispatch();
      },
      answered: (tasks, results) => {
        tasks.forEach((task, index) => {
          this.#leave(task);
          task.resolve(results[index] as JobResult);
        });
        this.#dispatch();
      },
      lost: (seat, tasks, failure) => this.#replace(seat, tasks, failure),
    };
  }

  get workers(): number {
    return this.#seats.length;
  }

  get running(): number {
    return this.#seats.reduce((sum, seat) => sum + seat.jobs, 0);
  }

  get waiting(): number {
    return this.#queue.length + this.#outside.length;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
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
    const seat = this.#seats[index];
    seat?.crash();
    return seat !== undefined;
  }

  protected submit(job: Job, segment: Segment, signal: AbortSignal | undefined): Promise<JobResult> {
    if (this.#closed !== undefined) return Promise.reject(closed());
    if (signal?.aborted) return Promise.reject(abandoned(signal));
    const cost = costOf(job);
    if (cost < INLINE_BYTES && (job.kind === "slice" || job.kind === "encodeText")) return runPinned(job, segment, signal);
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#takeOut(task);
        task.reject(abandoned(signal as AbortSignal));
      };
      const settle = (): boolean => {
        if (task.settled) return false;
        task.settled = true;
        signal?.removeEventListener("abort", giveUp);
        segment.unpin();
        return true;
      };
      const task: Task = {
        job,
        segment,
        cost,
        attempts: 0,
        settled: false,
        resolve: (result) => settle() && resolve(result),
        reject: (error) => settle() && reject(error),
      };
      segment.pin(); // until the call has settled; whoever works on it holds it as well
      signal?.addEventListener("abort", giveUp);
      this.#outside.push(task);
      this.#dispatch();
    });
  }

  /** Takes jobs into the line, and gives the first of them to workers. */
  #dispatch(): void {
    if (this.#closed !== undefined) return;
    for (let next = this.#outside[0]; next !== undefined && this.#hasRoomFor(next); next = this.#outside[0]) {
      this.#outside.shift();
      this.#queue.push(next);
      this.#queuedBytes += next.cost;
    }
    while (this.#queue.length > 0) {
      const seat = this.#leastBusy();
      if (seat === undefined || seat.batches > 0) this.#start();
      if (seat === undefined || seat.batches >= DEPTH) return;
      if (this.#isRetry(this.#queue[0]) && seat.batches > 0) return;
      seat.give(this.#nextBatch());
    }
  }

  /** The share of the queue that leaves every worker its own, so that a short queue is not one worker's. A retry goes alone. */
  #nextBatch(): Task[] {
    const share = Math.min(Math.ceil(this.#queue.length / (this.#seats.length * DEPTH)), MAX_BATCH);
    let count = 1;
    while (count < share && !this.#isRetry(this.#queue[count - 1]) && !this.#isRetry(this.#queue[count])) count++;
    return this.#queue.splice(0, count);
  }

  #isRetry(task: Task | undefined): boolean {
    return task !== undefined && task.attempts > 0;
  }

  /** A job larger than the bound passes when it is alone. */
  #hasRoomFor(task: Task): boolean {
    return this.#queuedBytes === 0 || this.#queuedBytes + task.cost <= this.#maxQueuedBytes;
  }

  #leastBusy(): Seat | undefined {
    let least: Seat | undefined;
    for (const seat of this.#seats) {
      if (!seat.ready || seat.isReserved) continue;
      if (least === undefined || seat.batches < least.batches || (seat.batches === least.batches && seat.bytes < least.bytes)) {
        least = seat;
      }
    }
    return least;
  }

  /** Starts one worker more, if there may be one. One at a time: the next is worth its start only when this one is busy. */
  #start(): void {
    if (this.#seats.length >= this.size || this.#loading || this.#seats.some((seat) => !seat.ready)) return;
    if (this.#failedStarts >= FAILED_STARTS) {
      if (this.#seats.length === 0) this.#seats.push(this.#seat(startInlineLane(), Infinity));
    } else if (this.#startLane === undefined) {
      void this.#load();
    } else {
      try {
        this.#seats.push(this.#seat(this.#startLane(), PATIENCE_MS));
      } catch {
        this.#failedStarts++;
        this.#start();
      }
    }
  }

  #seat(lane: Lane, patience: number): Seat {
    return new Seat(lane, this.#seatEvents, this.#clock, patience);
  }

  /** comlink is loaded by those who use it. */
  async #load(): Promise<void> {
    this.#loading = true;
    try {
      this.#startLane = (await import("./lane.ts")).startLane;
    } catch {
      this.#failedStarts = FAILED_STARTS;
    }
    this.#loading = false;
    this.#dispatch();
  }

  #replace(seat: Seat, tasks: readonly Task[], failure: Error | undefined): void {
    this.#seats.splice(this.#seats.indexOf(seat), 1);
    const again: Task[] = [];
    for (const task of tasks) {
      if (!task.settled && task.attempts < ATTEMPTS) {
        again.push(task);
        continue;
      }
      this.#leave(task);
      task.reject(workerLost(failure));
    }
    this.#queue.unshift(...again);
    if (!seat.started) this.#failedStarts++;
    this.#dispatch();
  }

  /** A job nobody has begun leaves at once; the memory of one that runs is in use until its answer. */
  #takeOut(task: Task): void {
    const outside = this.#outside.indexOf(task);
    if (outside >= 0) this.#outside.splice(outside, 1);
    const queued = this.#queue.indexOf(task);
    if (queued < 0) return this.#dispatch();
    this.#queue.splice(queued, 1);
    this.#leave(task);
    this.#dispatch();
  }

  #leave(task: Task): void {
    this.#queuedBytes -= task.cost;
  }

  async #end(): Promise<void> {
    for (const task of [...this.#queue, ...this.#outside]) task.reject(closed());
    this.#queue.length = 0;
    this.#outside.length = 0;
    this.#queuedBytes = 0;
    const seats = this.#seats.splice(0);
    await Promise.all(seats.map(async (seat) => {
      for (const task of seat.abandon()) task.reject(closed());
      await seat.gone;
    }));
    this.segments.clear();
  }
}

function closed(): StreamError {
  return new StreamError("closed", "Cannot carry the job out as the pool is closed");
}

function workerLost(cause: Error | undefined): StreamError {
  return new StreamError(
    "worker-lost",
    `Cannot finish the job as its workers ended before they answered: attempts are ${ATTEMPTS}`,
    { cause },
  );
}

function wholeNumber(name: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
  throw new StreamError(
    "invalid-argument",
    `Cannot make the pool as ${name} is not a whole number above zero: ${name} is ${String(value)}`,
  );
}
