import { retried } from "../../common/descriptors.ts";
import type { FileRef } from "../../protocol/file_ref.ts";
import type { FrameEncoding } from "../../protocol/wire/frames.ts";
import type { Codec, DecodeOptions, EncodedSegment, EncodeOptions, JobOptions, Span } from "../codec.ts";
import { toStreamError } from "./failures.ts";
import type { Job, JobResult, JobValue } from "./job.ts";
import type { JobPlatform } from "./engine.ts";
import { createSegmentStore, type Segment, type SegmentStore } from "../segments.ts";

/** Codec whose calls become jobs; subclasses carry jobs out. */
export abstract class JobCodec implements Codec {
  readonly segments: SegmentStore;
  readonly encodings: readonly FrameEncoding[];

  constructor(platform: JobPlatform, segments: SegmentStore = createSegmentStore((bytes) => platform.allocate(bytes))) {
    this.encodings = platform.encodings;
    this.segments = segments;
  }

  /** Carries a job out. Its segment stays pinned while any thread may touch it. */
  protected abstract submit(job: Job, segment: Segment, options: JobOptions): Promise<JobResult>;

  slice({ segment, start, end }: Span, encodeOptions?: EncodeOptions, options?: JobOptions): Promise<EncodedSegment> {
    return this.#carryOut({ kind: "slice", buffer: segment.buffer, start, end, encodeOptions }, segment, options);
  }

  async check({ segment, start, end }: Span, digest: Uint8Array, options?: JobOptions): Promise<void> {
    const own = new Uint8Array(digest); // a view would be posted with its whole memory
    await this.#carryOut(
      { kind: "check", buffer: segment.buffer, start, end, digest: own, compressed: undefined },
      segment,
      options,
    );
  }

  async extract({ segment, start, end }: Span, digest: Uint8Array, options?: DecodeOptions): Promise<Uint8Array> {
    const own = new Uint8Array(digest); // a view would be posted with its whole memory
    const { copy } = await this.#carryOut(
      { kind: "extract", buffer: segment.buffer, start, end, digest: own, compressed: options?.compressed },
      segment,
      options,
    );
    return new Uint8Array(copy ?? new ArrayBuffer(0));
  }

  async decodeText({ segment, start, end }: Span, digest: Uint8Array, options?: DecodeOptions): Promise<readonly string[]> {
    const own = new Uint8Array(digest); // as above
    const { texts } = await this.#carryOut(
      { kind: "decodeText", buffer: segment.buffer, start, end, digest: own, compressed: options?.compressed },
      segment,
      options,
    );
    return texts ?? [];
  }

  readFile(
    file: FileRef,
    range: { position: number; length: number },
    into: { segment: Segment; start: number },
    encodeOptions?: EncodeOptions,
    options?: JobOptions,
  ): Promise<EncodedSegment> {
    const { position, length } = range;
    const { segment, start } = into;
    return this.#carryOut(
      { kind: "readFile", file, position, length, buffer: segment.buffer, start, encodeOptions },
      segment,
      options,
    );
  }

  async writeFile(file: FileRef, position: number, span: Span, digest?: Uint8Array, options?: DecodeOptions): Promise<void> {
    const { segment, start, end } = span;
    const own = digest && new Uint8Array(digest); // a view would be posted with its whole memory
    await this.#carryOut(
      { kind: "writeFile", file, position, buffer: segment.buffer, start, end, digest: own, compressed: options?.compressed },
      segment,
      options,
    );
  }

  async #carryOut(job: Job, segment: Segment, options: JobOptions | undefined): Promise<JobValue> {
    const attempt = (): Promise<JobResult> => this.submit(job, segment, options ?? {});
    const usesFile = job.kind === "readFile" || job.kind === "writeFile";
    // Retried here, as a worker that waits for file descriptors would block other jobs.
    const result = usesFile ? await retried(attempt, failureCode, options?.signal) : await attempt();
    if (result.ok) return result.value;
    throw toStreamError(result.failure);
  }
}

/** File system error code of a failed job. */
function failureCode(result: JobResult): string | undefined {
  return result.ok ? undefined : result.failure.cause?.code;
}

/** Size of a job in the queue, in bytes. */
export function costOf(job: Job): number {
  switch (job.kind) {
    case "slice":
      return job.end - job.start;
    case "check":
    case "extract":
    case "decodeText":
    case "writeFile":
      return job.compressed?.length ?? job.end - job.start;
    case "readFile":
      return job.length;
  }
}
