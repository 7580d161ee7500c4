import { type Remote, wrap } from "comlink";
import { spawn, type SpawnedThread, type StartedWorker, type WorkerThread } from "./thread.ts";
import type { Job, JobResult } from "../jobs/job.ts";
import type { WorkerApi } from "../entry/worker.ts";

/** A worker of the pool. */
export interface WorkerHandle extends WorkerThread {
  /** Carries jobs out, in order. Rejects if the worker ends before it answered. */
  run(jobs: readonly Job[]): Promise<readonly JobResult[]>;
}

/** Starts a worker, or takes the one that `start` has started. Throws where that is not possible at all. */
export function startWorker(start?: () => StartedWorker): WorkerHandle {
  return new ThreadWorker(spawn(start));
}

class ThreadWorker implements WorkerHandle {
  readonly ready: Promise<void>;
  readonly gone: Promise<Error | undefined>;
  readonly ref: () => void;
  readonly unref: () => void;
  readonly terminate: () => void;
  // Held for the worker's life: when a root proxy is collected, comlink releases its worker.
  readonly #proxy: Remote<WorkerApi>;
  readonly #run: Remote<WorkerApi>["run"];
  readonly #unanswered = new Set<(error: Error) => void>();
  #lost: Error | undefined;

  constructor(thread: SpawnedThread) {
    this.ref = thread.ref;
    this.unref = thread.unref;
    this.terminate = thread.terminate;
    this.#proxy = wrap<WorkerApi>(thread.endpoint);
    this.#run = this.#proxy.run; // each look-up makes a proxy, which costs more than the call
    this.ready = thread.ready;
    this.gone = thread.gone.then((failure) => {
      this.#lost = new Error("Worker ended before it answered", { cause: failure });
      for (const reject of this.#unanswered) reject(this.#lost);
      this.#unanswered.clear();
      return failure;
    });
  }

  // Not a race with `gone`: each would leave its reaction on that promise for as long as the worker lives.
  run(jobs: readonly Job[]): Promise<readonly JobResult[]> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      this.#unanswered.add(reject);
      const answered = this.#run(jobs);
      answered.finally(() => this.#unanswered.delete(reject)).then(resolve, reject);
    });
  }
}
