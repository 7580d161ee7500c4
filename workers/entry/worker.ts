import { expose, transfer } from "comlink";
import { ownEndpoint, READY } from "./endpoint.ts";
import { type Job, type JobResult, runJob } from "../jobs/jobs.ts";

/** Calls that a codec worker answers. */
export interface WorkerApi {
  /** Carries jobs out one after the other: several a message, as a message costs both threads what a fifth of a segment does. */
  run(jobs: readonly Job[]): JobResult[];
}

/** Listens for jobs, and says so. */
export function serve(): void {
  const endpoint = ownEndpoint();
  const api: WorkerApi = { run: (jobs) => handOver(jobs.map(runJob)) };
  expose(api, endpoint);
  endpoint.postMessage(READY);
}

/** Transfers the memory that was made for the other side. */
function handOver(results: JobResult[]): JobResult[] {
  const made = results.flatMap((result) => result.ok ? [result.value.copy, result.value.packed] : [])
    .filter((buffer) => buffer !== undefined);
  return made.length === 0 ? results : transfer(results, made);
}
