import type { Job, JobResult } from "./job.ts";

/** Message of a worker that listens: a call sent earlier might be lost. */
export const READY = "millrace.ready";

/** Calls that a codec worker answers. */
export interface WorkerApi {
  /** Carries jobs out in order: several a message, as a message costs both threads a fifth of a segment's work. */
  run(jobs: readonly Job[]): JobResult[] | Promise<JobResult[]>;
}

/** Buffers that jobs created, which a worker transfers to its parent. */
export function createdBuffers(results: readonly JobResult[]): ArrayBuffer[] {
  return results.flatMap((result) => result.ok ? [result.value.copy, result.value.compressed] : [])
    .filter((buffer) => buffer !== undefined);
}
