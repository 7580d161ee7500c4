import type { JobPlatform } from "../jobs/engine.ts";
import { runInSlices } from "../jobs/inline_codec.ts";
import type { Job, JobResult } from "../jobs/job.ts";
import type { WorkerHandle } from "./worker.ts";

/** Creates a worker that runs jobs on this thread, for when no thread can be started. */
export function startInlineWorker(platform: JobPlatform): WorkerHandle {
  return new InlineWorker(platform);
}

class InlineWorker implements WorkerHandle {
  readonly ready: Promise<void> = Promise.resolve();
  readonly gone: Promise<undefined>;
  readonly #platform: JobPlatform;
  #end: (none: undefined) => void = () => undefined;
  #batches = 0;
  #terminated = false;

  constructor(platform: JobPlatform) {
    this.#platform = platform;
    this.gone = new Promise((resolve) => this.#end = resolve);
  }

  async run(jobs: readonly Job[]): Promise<readonly JobResult[]> {
    this.#batches++;
    try {
      const results: JobResult[] = [];
      for (const job of jobs) results.push(await runInSlices(job, this.#platform));
      return results;
    } finally {
      this.#batches--;
      this.#settle();
    }
  }

  ref(): void {}

  unref(): void {}

  terminate(): void {
    this.#terminated = true;
    this.#settle();
  }

  #settle(): void {
    if (this.#terminated && this.#batches === 0) this.#end(undefined);
  }
}
