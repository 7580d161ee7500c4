import { type Remote, wrap } from "comlink";
import type { Job, JobResult } from "../jobs/job.ts";
import type { WorkerApi } from "../jobs/worker_api.ts";
import type { SpawnedThread, WorkerHandle } from "./worker.ts";

/** Makes a worker of the pool from a thread that speaks comlink. */
export function workerOf(thread: SpawnedThread): WorkerHandle {
  return new ThreadWorker(thread);
}

class ThreadWorker implements WorkerHandle {
  readonly ready: Promise<void>;
  readonly gone: Promise<Error | undefined>;
  readonly ref: () => void;
  readonly unref: () => void;
  readonly terminate: () => void;
  // Kept for the worker's lifetime, as comlink releases a worker whose root proxy is collected.
  readonly #proxy: Remote<WorkerApi>;
  readonly #run: Remote<WorkerApi>["run"];
  readonly #unanswered = new Set<(error: Error) => void>();
  #lost: Error | undefined;

  constructor(thread: SpawnedThread) {
    this.ref = thread.ref;
    this.unref = thread.unref;
    this.terminate = thread.terminate;
    this.#proxy = wrap<WorkerApi>(thread.endpoint);
    this.#run = this.#proxy.run; // each property access creates a proxy, which costs more than the call
    this.ready = thread.ready;
    this.gone = thread.gone.then((failure) => {
      this.#lost = new Error("Worker ended before it answered", { cause: failure });
      for (const reject of this.#unanswered) reject(this.#lost);
      this.#unanswered.clear();
      return failure;
    });
  }

  // No `Promise.race` with `gone`, as each call would leave a reaction on that promise until the worker ends.
  run(jobs: readonly Job[]): Promise<readonly JobResult[]> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      this.#unanswered.add(reject);
      const answered = this.#run(jobs);
      answered.finally(() => this.#unanswered.delete(reject)).then(resolve, reject);
    });
  }
}
