// Jobs on bytes that must not block the event loop. Two implementations pass one conformance suite: the pool (workers/pool/pool.ts), and
// the codec without threads (workers/jobs/inline_codec.ts).
import type { StreamError } from "../errors.ts";
import type { FileRef } from "../protocol/file_ref.ts";
import type { FrameEncoding } from "../protocol/wire/frames.ts";
import type { Segment, SegmentStore } from "./segments.ts";

/** A run of bytes within a segment. */
export interface Span {
  readonly segment: Segment;
  /** First byte, counted from the segment's start. */
  readonly start: number;
  /** Byte after the last. */
  readonly end: number;
}

/** Options of every job. */
export interface JobOptions {
  /** Aborts the job: the call rejects with "aborted", `signal.reason` as cause. */
  readonly signal?: AbortSignal;
  /** Participant whose data the job handles; undefined for this program. Jobs of different owners take turns. */
  readonly owner?: string;
}

/** Division of a span into chunks. */
export interface ChunkingOptions {
  /** Longest chunk, in bytes. */
  readonly chunkSize: number;
  /** True to divide only between code points of UTF-8. */
  readonly utf8: boolean;
}

/** Compression of a span. */
export interface CompressionOptions {
  readonly encoding: Exclude<FrameEncoding, "raw">;
  /** True for a smaller result in more time, for a slow link. */
  readonly thorough: boolean;
  /** True to compress only if a sample of the span shrinks enough. */
  readonly sample: boolean;
}

/** Plain form of a compressed span. */
export interface CompressedPayload {
  readonly encoding: FrameEncoding;
  /** Plain length, in bytes; decompression stops there. */
  readonly length: number;
}

/** Encoding of a span: chunks of a plain stream, or the compressed payload of a frame. */
export type EncodeOptions = ChunkingOptions | CompressionOptions;

/** Options of a job on a span that was received. */
export interface DecodeOptions extends JobOptions {
  /** Plain form of the span, if the span is compressed. */
  readonly compressed?: CompressedPayload;
}

/** Encoded span, as a job returns it. */
export interface EncodedSegment {
  /** Length of the span or file part, in plain bytes. */
  readonly bytes: number;
  /** sha256 of these bytes, 32 bytes. */
  readonly digest: Uint8Array;
  /** End of each chunk, in bytes from the segment's start; empty without {@linkcode ChunkingOptions}. */
  readonly ends: readonly number[];
  /** Compressed payload behind SEGMENT_HEADROOM free bytes; absent without compression, or if the payload would not shrink. */
  readonly compressed?: ArrayBuffer;
}

/** Jobs on bytes. Each call rejects with a StreamError: "aborted", "worker-lost", "file-error", or "closed" after `close`. */
export interface Codec {
  /** True if worker threads do the jobs. */
  readonly hasWorkers?: boolean;
  /** Calls `tell` once if no worker can be started. Returns the call that cancels this. */
  onUnavailable?(tell: (error: StreamError) => void): () => void;
  /** Store of the codec's segments. */
  readonly segments: SegmentStore;
  /** Frame encodings that the codec reads and writes. */
  readonly encodings: readonly FrameEncoding[];
  /** Hashes a span, and divides or compresses it on request. */
  slice(span: Span, encodeOptions?: EncodeOptions, options?: JobOptions): Promise<EncodedSegment>;
  /** Checks a span: rejects with "corrupt" if the bytes do not match the digest. */
  check(span: Span, digest: Uint8Array, options?: JobOptions): Promise<void>;
  /** Copies a span to an array of the caller's. Rejects with "corrupt" if the bytes do not match the digest. */
  extract(span: Span, digest: Uint8Array, options?: DecodeOptions): Promise<Uint8Array>;
  /** Decodes a span's text after the same check, in pieces. Invalid UTF-8 becomes U+FFFD; a byte order mark stays. */
  decodeText(span: Span, digest: Uint8Array, options?: DecodeOptions): Promise<readonly string[]>;
  /** Reads `length` bytes from `position` of a file into a segment, fewer only at the file's end. A changed file: "file-error". */
  readFile(
    file: FileRef,
    range: { position: number; length: number },
    into: { segment: Segment; start: number },
    encodeOptions?: EncodeOptions,
    options?: JobOptions,
  ): Promise<EncodedSegment>;
  /** Writes a span to `position` of an existing file. Rejects with "corrupt", and writes nothing, if the bytes do not match `digest`. */
  writeFile(file: FileRef, position: number, span: Span, digest?: Uint8Array, options?: DecodeOptions): Promise<void>;
}
