import { StreamError } from "../../errors.ts";
import { assertKnownNames, type OptionNames } from "../../protocol/option_names.ts";
import type { Codec } from "../codec.ts";
import type { StartedWorker } from "./thread.ts";

/** Options of a pool. */
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
  /** Jobs done on the pool's own thread: small ones, and all if no worker can be started. */
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
  /** Ends the workers. Pending and later calls reject with "closed". Idempotent. */
  close(): Promise<void>;
}

const POOL_OPTIONS: OptionNames<CodecPoolOptions> = { size: true, maxQueuedBytes: true, worker: true };

/** Throws "invalid-argument" unless these are options of a pool. */
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

/** A whole number above zero, or the fallback. */
export function wholeNumber(name: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
  throw new StreamError(
    "invalid-argument",
    `Cannot make the pool as ${name} must be a whole number above zero: ${name} is ${String(value)}`,
  );
}
