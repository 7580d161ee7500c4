import { expose, transfer } from "comlink";
import { ownEndpoint } from "./endpoint.ts";
import { carryOut } from "../jobs/carry_out.ts";
import { runAtOnce } from "../jobs/steps.ts";
import { createdBuffers, READY, type WorkerApi } from "../jobs/worker_api.ts";
import { blockingEngine } from "../node/blocking_engine.ts";

/** Starts listening for jobs, then sends READY. */
export function serve(): void {
  const endpoint = ownEndpoint();
  const api: WorkerApi = {
    run: (jobs) => {
      const results = jobs.map((job) => runAtOnce(carryOut(job, blockingEngine)));
      return transfer(results, createdBuffers(results));
    },
  };
  expose(api, endpoint);
  endpoint.postMessage(READY);
}
