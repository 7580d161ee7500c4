// Codec without worker threads: in time slices on the calling thread, with Node's thread pool for files and compression.
import { onAbort } from "../../common/abort.ts";
import type { Codec, JobOptions } from "../codec.ts";
import { createSegmentStore, type Segment, type SegmentStore } from "../segments.ts";
import { abandoned } from "./failures.ts";
import { carryOut } from "./carry_out.ts";
import type { Job, JobResult } from "./job.ts";
import { JobCodec } from "./job_codec.ts";
import { SlicedEngine } from "./sliced_engine.ts";
import { runInTurns } from "./steps.ts";

/** Creates a codec without worker threads, for `pool: false`. */
export function createInlineCodec(segments: SegmentStore = createSegmentStore()): Codec {
  return new InlineCodec(segments);
}

class InlineCodec extends JobCodec {
  protected submit(job: Job, segment: Segment, { signal }: JobOptions): Promise<JobResult> {
    return runPinned(job, segment, signal);
  }
}

/** Runs a job on this thread. Rejects as soon as the signal aborts; the segment stays pinned until the current step has ended. */
export async function runPinned(job: Job, segment: Segment, signal: AbortSignal | undefined): Promise<JobResult> {
  if (signal?.aborted) throw abandoned(signal);
  segment.pin();
  const running = runInSlices(job, signal).finally(() => segment.unpin());
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
export function runInSlices(job: Job, signal?: AbortSignal): Promise<JobResult> {
  return runInTurns(carryOut(job, new SlicedEngine(signal)));
}
