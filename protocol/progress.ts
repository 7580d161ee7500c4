import { StreamError } from "../errors.ts";

/** Least time between two progress reports, in ms: an eye tells no more than twenty a second apart. */
export const PROGRESS_INTERVAL_MS = 50;

/** Time constant of the rate, in ms: an older measurement weighs e times less. */
const RATE_WINDOW_MS = 1_000;

/** Progress of a stream. */
export interface Progress {
  /** Bytes so far. */
  readonly bytes: number;
  /** Bytes in all, if known. */
  readonly total?: number;
  /** 100 × bytes ÷ total; 0 for an empty total, absent for an unknown one. */
  readonly percent?: number;
  /** The rate of about the last second; 0 at first. */
  readonly bytesPerSecond: number;
}

/**
 * Counter of a stream's bytes against its size. Readers and writers each have one; programs may use their own.
 *
 * @example
 * ```ts
 * import { ProgressTracker } from "millrace";
 *
 * const tracker = new ProgressTracker(2_000);
 * tracker.update(500);
 * if (tracker.progress !== 25 || tracker.complete) throw new Error("A quarter was expected");
 * ```
 */
export class ProgressTracker {
  /** Bytes in all; 0 if the stream is empty, or its size unknown. */
  totalSize: number;
  /** Bytes so far; may pass the total. */
  received: number;

  /** Throws a StreamError "invalid-argument" if the size is not a non-negative integer. */
  constructor(totalSize: number) {
    this.totalSize = checkedBytes(totalSize, "Cannot track the progress as the total size must be a non-negative integer");
    this.received = 0;
  }

  /** Adds bytes. Throws a StreamError "invalid-argument" if their number is not a non-negative integer. */
  update(bytes: number): void {
    this.received += checkedBytes(bytes, "Cannot update the progress as the number of bytes must be a non-negative integer");
  }

  /** Percent; 0 for an unknown or empty total. */
  get progress(): number {
    return percentOf(this.received, this.totalSize);
  }

  /** Whether at least the announced bytes came; of an unknown or empty total, always true. */
  get complete(): boolean {
    return this.received >= this.totalSize;
  }
}

/**
 * Turns counts of bytes into reports, at most one each {@linkcode PROGRESS_INTERVAL_MS}. Times are in ms of any clock; a step back counts
 * as no time.
 */
export class ProgressMeter {
  readonly #total: number | undefined;
  #reportedAt: number | undefined;
  #measuredAt: number;
  #measuredBytes = 0;
  // The rate is a mean weighted by age. Division by the sum of weights makes the rate of the first 50 ms whole, not a twentieth.
  #weightedRate = 0;
  #weights = 0;

  constructor(total: number | undefined, startedAt: number) {
    this.#total = total;
    this.#measuredAt = startedAt;
  }

  /** Notes the bytes in all. Returns a report if one is due. */
  note(bytes: number, now: number): Progress | undefined {
    if (this.#reportedAt !== undefined && now - this.#reportedAt < PROGRESS_INTERVAL_MS) return undefined;
    return this.#report(bytes, now);
  }

  /** Makes the last report. */
  finish(bytes: number, now: number): Progress {
    return this.#report(bytes, now);
  }

  #report(bytes: number, now: number): Progress {
    this.#measure(bytes, now);
    this.#reportedAt = now;
    const bytesPerSecond = this.#weights === 0 ? 0 : (this.#weightedRate / this.#weights) * 1_000;
    if (this.#total === undefined) return { bytes, bytesPerSecond };
    return { bytes, total: this.#total, percent: percentOf(bytes, this.#total), bytesPerSecond };
  }

  #measure(bytes: number, now: number): void {
    const elapsed = now - this.#measuredAt;
    if (!(elapsed > 0)) return; // these bytes count with the next measure
    const kept = Math.exp(-elapsed / RATE_WINDOW_MS);
    this.#weightedRate = this.#weightedRate * kept + ((bytes - this.#measuredBytes) / elapsed) * (1 - kept);
    this.#weights = this.#weights * kept + (1 - kept);
    this.#measuredAt = now;
    this.#measuredBytes = bytes;
  }
}

function percentOf(bytes: number, total: number): number {
  return total === 0 ? 0 : (bytes / total) * 100;
}

function checkedBytes(value: number, message: string): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new StreamError("invalid-argument", `${message}: it is "${String(value)}"`);
  }
  return value;
}
