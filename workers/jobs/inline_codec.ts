// Codec without worker threads: in time slices on the calling thread, with the platform's own threads for files and compression.
import { onAbort } from "../../common/abort.ts";
import type { JobOptions } from "../codec.ts";
import type { Segment, SegmentStore } from "../segments.ts";
import { abandoned } from "./failures.ts";
import { carryOut } from "./carry_out.ts";
import type { JobPlatform } from "./engine.ts";
import type { Job, JobResult } from "./job.ts";
import { JobCodec } from "./job_codec.ts";
import { runInTurns } from "./steps.ts";

/** Codec without worker threads, for `pool: false`. */
export class InlineCodec extends JobCodec {
  readonly #platform: JobPlatform;
  #jobs = 0;

  constructor(platform: JobPlatform, segments?: SegmentStore) {
    super(platform, segments);
    this.#platform = platform;
  }

  /** Counts, in the form of a pool's. */
  stats(): { workers: number; jobs: number; inline: number; queuedBytes: number } {
    return { workers: 0, jobs: 0, inline: this.#jobs, queuedBytes: 0 };
  }

  protected submit(job: Job, segment: Segment, { signal }: JobOptions): Promise<JobResult> {
    this.#jobs++;
    return runPinned(job, segment, this.#platform, signal);
  }
}

/** Runs a job on this thread. Rejects as soon as the signal aborts; the segment stays pinned until the current step has ended. */
export async function runPinned(
  job: Job,
  segment: Segment,
  platform: JobPlatform,
  signal: AbortSignal | undefined,
): Promise<JobResult> {
  if (signal?.aborted) throw abandoned(signal);
  segment.pin();
  const running = runInSlices(job, platform, signal).finally(() => segment.unpin());
  if (signal === undefined) return await running;
  let forget = (): void => undefined;
  try {
    return await new Promise((resolve, reject) => {
      forget = onAbort(signal, () => reject(abandoned(signal)));
      running.then(resolve, reject);
    });
  } finally {
    forget();
  }
}

/** Runs a job on this thread, in slices of 1 ms. */
export function runInSlices(job: Job, platform: JobPlatform, signal?: AbortSignal): Promise<JobResult> {
  return runInTurns(carryOut(job, platform.createEngine(signal)));
}
