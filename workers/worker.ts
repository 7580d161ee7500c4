import { expose } from "comlink";
import { ownEndpoint, READY } from "./endpoint.ts";
import { type Job, type JobResult, runJob } from "./jobs.ts";

/** What a codec worker does for who started it. */
export interface WorkerApi {
  run(job: Job): JobResult;
}

/** Listens for jobs, and says so. */
export function serve(): void {
  const endpoint = ownEndpoint();
  const api: WorkerApi = { run: runJob };
  expose(api, endpoint);
  endpoint.postMessage(READY);
}
