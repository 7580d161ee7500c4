// Jobs and their results as plain data. Failures are results, as errors that cross threads lose code and class.
import type { FileRef } from "../../protocol/file_ref.ts";
import type { CompressedPayload, EncodedSegment, EncodeOptions } from "../codec.ts";
import type { Failure } from "./failures.ts";

export interface SliceJob {
  readonly kind: "slice";
  readonly buffer: ArrayBufferLike;
  readonly start: number;
  readonly end: number;
  readonly encodeOptions: EncodeOptions | undefined;
}

/** Compares a span with its digest, then copies or decodes it, or does no more. */
export interface ExtractJob {
  readonly kind: "check" | "extract" | "decodeText";
  readonly buffer: ArrayBufferLike;
  readonly start: number;
  readonly end: number;
  readonly digest: Uint8Array;
  readonly compressed: CompressedPayload | undefined;
}

export interface ReadFileJob {
  readonly kind: "readFile";
  readonly file: FileRef;
  readonly position: number;
  readonly length: number;
  readonly buffer: ArrayBufferLike;
  readonly start: number;
  readonly encodeOptions: EncodeOptions | undefined;
}

export interface WriteFileJob {
  readonly kind: "writeFile";
  readonly file: FileRef;
  readonly position: number;
  readonly buffer: ArrayBufferLike;
  readonly start: number;
  readonly end: number;
  readonly digest: Uint8Array | undefined;
  readonly compressed: CompressedPayload | undefined;
}

/** Job of a codec. Every job is idempotent, so that another worker can repeat it. */
export type Job = SliceJob | ExtractJob | ReadFileJob | WriteFileJob;

/** Result of a job. "extract" sets `copy`, "decodeText" sets `texts`; "writeFile" sets only `bytes`. */
export interface JobValue extends EncodedSegment {
  readonly copy?: ArrayBuffer;
  readonly texts?: readonly string[];
}

export type JobResult = { readonly ok: true; readonly value: JobValue } | { readonly ok: false; readonly failure: Failure };
