import { expose, transfer } from "comlink";
import { ownEndpoint, READY } from "./endpoint.ts";
import { blockingEngine } from "../jobs/blocking_engine.ts";
import { carryOut } from "../jobs/carry_out.ts";
import type { Job, JobResult } from "../jobs/job.ts";
import { runAtOnce } from "../jobs/steps.ts";

/** Calls that a codec worker answers. */
export interface WorkerApi {
  /** Carries jobs out in order: several a message, as a message costs both threads a fifth of a segment's work. */
  run(jobs: readonly Job[]): JobResult[];
}

/** Starts listening for jobs, then sends READY. */
export function serve(): void {
  const endpoint = ownEndpoint();
  const api: WorkerApi = { run: (jobs) => handOver(jobs.map((job) => runAtOnce(carryOut(job, blockingEngine)))) };
  expose(api, endpoint);
  endpoint.postMessage(READY);
}

/** Transfers the buffers created by the jobs to the parent. */
function handOver(results: JobResult[]): JobResult[] {
  const made = results.flatMap((result) => result.ok ? [result.value.copy, result.value.compressed] : [])
    .filter((buffer) => buffer !== undefined);
  return made.length === 0 ? results : transfer(results, made);
}
