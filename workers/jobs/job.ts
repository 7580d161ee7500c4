// Jobs and their results as plain data. A failure is a result, as an error that crosses threads loses its code and class.
import type { FileRef } from "../../protocol/file_ref.ts";
import type { CompressedPayload, EncodedSegment, EncodeOptions } from "../codec.ts";
import type { Failure } from "./failures.ts";

export interface SliceJob {
  readonly kind: "slice";
  readonly buffer: SharedArrayBuffer;
  readonly start: number;
  readonly end: number;
  readonly encodeOptions: EncodeOptions | undefined;
}

/** Compares a span with its digest, then copies or decodes it, or does no more. */
export interface ExtractJob {
  readonly kind: "check" | "extract" | "decodeText";
  readonly buffer: SharedArrayBuffer;
  readonly start: number;
  readonly end: number;
  readonly digest: Uint8Array;
  readonly compressed: CompressedPayload | undefined;
}

export interface EncodeTextJob {
  readonly kind: "encodeText";
  readonly text: string;
  readonly buffer: SharedArrayBuffer;
  readonly start: number;
  readonly encodeOptions: EncodeOptions | undefined;
}

export interface ReadFileJob {
  readonly kind: "readFile";
  readonly file: FileRef;
  readonly position: number;
  readonly length: number;
  readonly buffer: SharedArrayBuffer;
  readonly start: number;
  readonly encodeOptions: EncodeOptions | undefined;
}

export interface WriteFileJob {
  readonly kind: "writeFile";
  readonly file: FileRef;
  readonly position: number;
  readonly buffer: SharedArrayBuffer;
  readonly start: number;
  readonly end: number;
  readonly digest: Uint8Array | undefined;
  readonly compressed: CompressedPayload | undefined;
}

/** Job of a codec. Any job can be repeated: none depends on what an earlier attempt left behind. */
export type Job = SliceJob | ExtractJob | EncodeTextJob | ReadFileJob | WriteFileJob;

/** Result of a job: `copy` or `text` of an extraction; `bytes` alone of a write. */
export interface JobValue extends EncodedSegment {
  readonly copy?: ArrayBuffer;
  readonly text?: string;
}

export type JobResult = { readonly ok: true; readonly value: JobValue } | { readonly ok: false; readonly failure: Failure };
