import "../../common/platforms/browser.ts";
import { expose, transfer } from "comlink";
import { freeMemory } from "../../common/platforms/freed_memory.ts";
import { carryOut } from "../jobs/carry_out.ts";
import type { FileRef } from "../../protocol/file_ref.ts";
import type { OpenFile } from "../jobs/engine.ts";
import type { Job, JobResult } from "../jobs/job.ts";
import { type MaybePromise, runInTurns } from "../jobs/steps.ts";
import { createdBuffers, READY, type WorkerApi } from "../jobs/worker_api.ts";
import { BrowserEngine } from "./engine.ts";
import { AccessedFiles } from "./origin_file.ts";

/** Engine for one message to a worker, which has no event loop to keep free. */
class WorkerEngine extends BrowserEngine {
  readonly #files = new AccessedFiles();

  override open(file: FileRef, mode: "read" | "write"): MaybePromise<OpenFile> {
    return mode === "write" && "handle" in file ? this.#files.open(file) : super.open(file, mode);
  }

  override duePause(): undefined {
    return undefined;
  }

  override drop(buffer: ArrayBufferLike): void {
    freeMemory(buffer);
  }

  /** Closes the files that were written to. */
  async end(): Promise<void> {
    await this.#files.close();
  }
}

/** Starts listening for jobs, then sends READY. */
export function serve(): void {
  const api: WorkerApi = {
    run: async (jobs) => {
      const engine = new WorkerEngine();
      const results: JobResult[] = [];
      try {
        for (const job of jobs) {
          results.push(withBytesRead(job, await runInTurns(carryOut(job, engine))));
          if (job.kind !== "readFile") engine.drop(job.buffer);
        }
      } finally {
        await engine.end();
      }
      return transfer(results, createdBuffers(results));
    },
  };
  expose(api);
  globalThis.postMessage(READY);
}

/** Adds the bytes of a file to the result, if the job's memory is not the page's. */
function withBytesRead(job: Job, result: JobResult): JobResult {
  if (job.kind !== "readFile" || !result.ok || !(job.buffer instanceof ArrayBuffer)) return result;
  return { ok: true, value: { ...result.value, copy: job.buffer } };
}
