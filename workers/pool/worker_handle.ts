import { type Remote, wrap } from "comlink";
import { spawn, type SpawnedThread, type StartedWorker } from "./thread.ts";
import type { Job, JobResult } from "../jobs/job.ts";
import type { WorkerApi } from "../entry/worker.ts";

/** One worker, as the pool sees it. */
export interface WorkerHandle {
  /** Resolves when it takes jobs; stays pending if it never does: then `gone` tells. */
  readonly ready: Promise<void>;
  /** Resolves when the thread has ended and touches no memory any more; the error says what ended it, if known. */
  readonly gone: Promise<Error | undefined>;
  /** Carries jobs out, in order. Rejects if the worker ends before it answered. */
  run(jobs: readonly Job[]): Promise<readonly JobResult[]>;
  /** The process waits for it. */
  ref(): void;
  /** The process may end without it. */
  unref(): void;
  terminate(): void;
}

/** Starts a worker, or takes the one that `start` has started. Throws where that is not possible at all. */
export function startWorker(start?: () => StartedWorker): WorkerHandle {
  return new ThreadWorker(spawn(start));
}

class ThreadWorker implements WorkerHandle {
  readonly ready: Promise<void>;
  readonly gone: Promise<Error | undefined>;
  readonly #thread: SpawnedThread;
  // Held for the worker's life: when a root proxy is collected, comlink releases its worker.
  readonly #proxy: Remote<WorkerApi>;
  readonly #run: Remote<WorkerApi>["run"];
  readonly #unanswered = new Set<(error: Error) => void>();
  #lost: Error | undefined;

  constructor(thread: SpawnedThread) {
    this.#thread = thread;
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

  ref(): void {
    this.#thread.ref();
  }

  unref(): void {
    this.#thread.unref();
  }

  terminate(): void {
    this.#thread.terminate();
  }
}
