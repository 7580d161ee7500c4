import { availableParallelism } from "node:os";
import { INLINE_BYTES } from "../../protocol/constants.ts";
import { nodeJobs } from "../node/job_platform.ts";
import type { CodecPool, CodecPoolOptions } from "./options.ts";
import { type PoolParts, WorkerPool } from "./pool.ts";
import type { PoolPlatform } from "./worker.ts";

/** Pools of node:worker_threads. */
const nodeThreads: PoolPlatform = {
  ...nodeJobs,
  parallelism: availableParallelism(),
  runsHere: (job, bytes) => bytes < INLINE_BYTES && job.kind !== "readFile" && job.kind !== "writeFile",
  loadThreads: async () => (await import("./thread.ts")).startWorker,
};

/** The pool on Node, Bun and Deno, with members for tests. */
export class NodePool extends WorkerPool {
  constructor(options?: CodecPoolOptions, parts?: Partial<PoolParts>) {
    super(nodeThreads, options, parts);
  }
}

/**
 * Creates a pool of worker threads. Workers start on demand; idle workers do not keep the process alive.
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
  return new NodePool(options);
}

let shared: CodecPool | undefined;

/** The pool of the process, created on first use. Never closed: idle workers do not keep the process alive. */
export function sharedCodecPool(): CodecPool {
  shared ??= createCodecPool();
  return shared;
}
