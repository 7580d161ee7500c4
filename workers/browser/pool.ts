import { INLINE_BYTES } from "../../protocol/constants.ts";
import type { Codec } from "../codec.ts";
import { InlineCodec } from "../jobs/inline_codec.ts";
import type { Job } from "../jobs/job.ts";
import type { CodecPool, CodecPoolOptions } from "../pool/options.ts";
import { WorkerPool } from "../pool/pool.ts";
import type { PoolPlatform } from "../pool/worker.ts";
import { browserJobs } from "./engine.ts";

/** Most workers of a page by default: its other half is for the page itself, and for the browser's own threads. */
const PARALLELISM_SHARE = 2;

/** Pools of Web Workers. */
const webWorkers: PoolPlatform = {
  ...browserJobs,
  get parallelism() {
    return Math.max(1, Math.floor(navigator.hardwareConcurrency / PARALLELISM_SHARE));
  },
  runsHere: (job, bytes) => "file" in job ? "write" in job.file : bytes < INLINE_BYTES || isHashOnly(job),
  loadThreads: async () => (await import("./thread.ts")).startWebWorker,
};

/**
 * Whether a job is a hash and a copy: `crypto.subtle` hashes on a thread of the browser's own, at a page's cost of a copy. A message to a
 * worker costs more.
 */
function isHashOnly(job: Job): boolean {
  if (typeof crypto.subtle === "undefined") return false;
  if (job.kind === "slice") return job.encodeOptions === undefined || "chunkSize" in job.encodeOptions;
  return (job.kind === "check" || job.kind === "extract") && job.compressed === undefined;
}

/** Creates a codec without workers, for `pool: false`. */
export function createInlineCodec(): Codec {
  return new InlineCodec(browserJobs);
}

/**
 * Creates a pool of Web Workers. Workers start on demand, and end when they have been idle for 30 s.
 *
 * @throws {StreamError} "invalid-argument"
 * @example
 * ```ts no-run
 * import { createCodecPool, createHub, createRuntime } from "millrace";
 *
 * // For a bundler that does not find the worker by itself, such as esbuild; Vite and webpack do.
 * const pool = createCodecPool({ worker: () => new Worker("/millrace-worker.js", { type: "module" }) });
 * const alice = await createRuntime({ transport: createHub().join("alice"), pool });
 * ```
 */
export function createCodecPool(options: CodecPoolOptions = {}): CodecPool {
  return new WorkerPool(webWorkers, options);
}

let shared: CodecPool | undefined;

/** The pool of the page, created on first use. */
export function sharedCodecPool(): CodecPool {
  shared ??= createCodecPool();
  return shared;
}
