// The work on bytes that must not hold the event loop, as jobs with typed results. Two implementations pass one conformance suite:
// the pool (workers/pool/pool.ts) and its twin on this thread (workers/jobs/inline_codec.ts).
import type { StreamError } from "../errors.ts";
import type { FileRef } from "../protocol/file_ref.ts";
import type { FrameEncoding } from "../protocol/wire/frames.ts";
import type { CompressedPayload, CompressionOptions } from "./compression.ts";
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
  /** Takes the job from the queue, or abandons it if it runs: the call rejects with `signal.reason` as cause of "aborted". */
  readonly signal?: AbortSignal;
  /** For whom it is done, if not for this program: jobs of different owners take turns, so that none holds another's up. */
  readonly owner?: string;
}

/** How a span is to be cut into chunks. */
export interface ChunkingOptions {
  /** Bytes a chunk holds at most. */
  readonly chunkSize: number;
  /** True: only between the code points of UTF-8. */
  readonly utf8: boolean;
}

/** Encoding of a span: chunks of a plain stream, or the compressed payload of a frame. */
export type EncodeOptions = ChunkingOptions | CompressionOptions;

/** Options of a job that takes a span as it came. */
export interface DecodeOptions extends JobOptions {
  /** How the span is to be read. Default: as it is. */
  readonly packed?: CompressedPayload;
}

/** Encoded span, as a job returns it. */
export interface EncodedSegment {
  /** Bytes of payload: the span's length, or what was encoded or read. */
  readonly bytes: number;
  /** sha256 of the payload, 32 bytes. */
  readonly digest: Uint8Array;
  /** Where each chunk ends, in bytes from the segment's start; empty unless a cut was asked for. */
  readonly ends: readonly number[];
  /** The payload compressed, behind SEGMENT_HEADROOM bytes of room; absent if that was not asked for, or would not be smaller. */
  readonly packed?: ArrayBuffer;
}

/** The jobs. Each call rejects with a StreamError: "aborted", "worker-lost", "file-error", or "closed" after `close`. */
export interface Codec {
  /** Has `tell` called once, should no worker be to be had for it. Returns the call that takes this back. */
  onUnavailable?(tell: (error: StreamError) => void): () => void;
  /** Where segments come from and go back to. */
  readonly segments: SegmentStore;
  /** Encodings of frames that it reads and writes. */
  readonly encodings: readonly FrameEncoding[];
  /** sha256 of a span and, if asked for, where to cut it, or its compressed form. */
  slice(span: Span, encodeOptions?: EncodeOptions, options?: JobOptions): Promise<EncodedSegment>;
  /** A copy of a span that is the caller's own, checked: "corrupt" if the bytes are not those of the digest. */
  extract(span: Span, digest: Uint8Array, options?: DecodeOptions): Promise<Uint8Array>;
  /** A span's text, checked likewise; what is not UTF-8 becomes U+FFFD, a byte order mark stays. */
  decodeText(span: Span, digest: Uint8Array, options?: DecodeOptions): Promise<string>;
  /**
   * Encodes a text as UTF-8 into a segment, from `start` on; lone surrogates become U+FFFD. It must fit: three bytes a UTF-16 unit
   * always do, else it is measured before.
   */
  encodeText(
    text: string,
    into: { segment: Segment; start: number },
    encodeOptions?: EncodeOptions,
    options?: JobOptions,
  ): Promise<EncodedSegment>;
  /** Reads `length` bytes from `position` of a file into a segment. Fewer come only at the file's end. A changed file: "file-error". */
  readFile(
    file: FileRef,
    range: { position: number; length: number },
    into: { segment: Segment; start: number },
    encodeOptions?: EncodeOptions,
    options?: JobOptions,
  ): Promise<EncodedSegment>;
  /** Writes a span to `position` of a file that exists. With `digest`, checks first: "corrupt", and nothing was written. */
  writeFile(file: FileRef, position: number, span: Span, digest?: Uint8Array, options?: DecodeOptions): Promise<void>;
}
