import "../../common/platforms/browser.ts";
import { expose, transfer } from "comlink";
import { carryOut } from "../jobs/carry_out.ts";
import type { Job, JobResult } from "../jobs/job.ts";
import { runInTurns } from "../jobs/steps.ts";
import { createdBuffers, READY, type WorkerApi } from "../jobs/worker_api.ts";
import { BrowserEngine } from "./engine.ts";

/** Engine of a worker, which has no event loop to keep free. */
class WorkerEngine extends BrowserEngine {
  override duePause(): undefined {
    return undefined;
  }
}

/** Starts listening for jobs, then sends READY. */
export function serve(): void {
  const engine = new WorkerEngine();
  const api: WorkerApi = {
    run: async (jobs) => {
      const results: JobResult[] = [];
      for (const job of jobs) results.push(withBytesRead(job, await runInTurns(carryOut(job, engine))));
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
