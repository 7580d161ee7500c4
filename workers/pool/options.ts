import { StreamError } from "../../errors.ts";
import { assertKnownNames, type OptionNames } from "../../protocol/option_names.ts";
import type { Codec } from "../codec.ts";
import type { StartedWorker } from "./worker.ts";

/** Options of a pool. */
export interface CodecPoolOptions {
  /** Most workers, which start on demand. Default: the machine's parallelism, at most 8. */
  size?: number;
  /** Most bytes of jobs that run or are next in line; further jobs wait. Default 16 MiB. */
  maxQueuedBytes?: number;
  /**
   * Starts a worker on the module `millrace/worker`, for bundled programs: `() => new Worker(new URL("../entry/worker.js",
   * import.meta.url))`, of node:worker_threads or of the web. Default: the entry file beside this module, if there is one.
   */
  worker?: () => StartedWorker;
}

/** Counts of a pool. */
export interface CodecPoolStats {
  /** Worker threads that run or are starting. */
  readonly workers: number;
  /** Jobs completed by worker threads. */
  readonly jobs: number;
  /** Jobs done on the pool's own thread: small ones, and all if no worker can be started. */
  readonly inline: number;
  /** Bytes of jobs that run or are next in line. */
  readonly queuedBytes: number;
}

/** Pool of worker threads for jobs on bytes, shared by any number of runtimes. Created by {@linkcode createCodecPool}. */
export interface CodecPool extends Codec, AsyncDisposable {
  /** Most workers. */
  readonly size: number;
  /** Worker threads that run or are starting. */
  readonly workers: number;
  /** Jobs given to workers and not answered. */
  readonly running: number;
  /** Jobs that wait for a worker. */
  readonly waiting: number;
  /** Bytes of jobs that run or are next in line. */
  readonly queuedBytes: number;
  /** Returns counts, which show whether worker threads do the jobs. */
  stats(): CodecPoolStats;
  /** Ends the workers. Pending and later calls reject with "closed". Idempotent. */
  close(): Promise<void>;
}

const POOL_OPTIONS: OptionNames<CodecPoolOptions> = { size: true, maxQueuedBytes: true, worker: true };

/** Throws "invalid-argument" unless the value is valid as options of a pool. */
export function assertPoolOptions(options: unknown): void {
  const action = "Cannot make the pool";
  if (typeof options !== "object" || options === null) {
    throw new StreamError("invalid-argument", `${action} as the options must be an object: got ${String(options)}`);
  }
  assertKnownNames(options, POOL_OPTIONS, action);
  const { worker } = options as { worker?: unknown };
  if (worker !== undefined && typeof worker !== "function") {
    throw new StreamError("invalid-argument", `${action} as "worker" must be a function: its type is "${typeof worker}"`);
  }
}

/** Returns a positive integer option, or the fallback if undefined. */
export function wholeNumber(name: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
  throw new StreamError(
    "invalid-argument",
    `Cannot make the pool as ${name} must be a whole number above zero: ${name} is ${String(value)}`,
  );
}
