// The jobs themselves, as a worker carries them out: synchronous functions on shared memory. Jobs and results are plain data, and
// failures are results: an error that crosses threads loses its code and class.
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { cutBytes } from "../../protocol/wire/chunking.ts";
import type { FileRef } from "../../protocol/file_ref.ts";
import type { EncodedSegment, EncodeOptions } from "../codec.ts";
import {
  changedFailure,
  type Failure,
  fileFailure,
  isSameFile,
  isUnchanged,
  OPEN_TO_READ,
  OPEN_TO_WRITE,
  replacedFailure,
} from "./failures.ts";
import { compress, type CompressedPayload, type CompressionOptions, decompress } from "../compression.ts";

export interface SliceJob {
  readonly kind: "slice";
  readonly buffer: SharedArrayBuffer;
  readonly start: number;
  readonly end: number;
  readonly encodeOptions: EncodeOptions | undefined;
}

/** Use of a checked span: its bytes are copied, or decoded. */
export interface ExtractJob {
  readonly kind: "extract" | "decodeText";
  readonly buffer: SharedArrayBuffer;
  readonly start: number;
  readonly end: number;
  readonly digest: Uint8Array;
  readonly packed: CompressedPayload | undefined;
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
  readonly packed: CompressedPayload | undefined;
}

/** Each can be carried out again: none depends on what an attempt before it left behind. */
export type Job = SliceJob | ExtractJob | EncodeTextJob | ReadFileJob | WriteFileJob;

/** Result of a job. A write has `bytes` only; `copy` and `text` are what was extracted. */
export interface JobValue extends EncodedSegment {
  readonly copy?: ArrayBuffer;
  readonly text?: string;
}

export type JobResult = { readonly ok: true; readonly value: JobValue } | { readonly ok: false; readonly failure: Failure };

/** Carries a job out, and never throws but for a defect. */
export function runJob(job: Job): JobResult {
  switch (job.kind) {
    case "slice":
      return encoded(job.buffer, job.start, job.end, job.encodeOptions);
    case "extract":
    case "decodeText":
      return extract(job);
    case "encodeText":
      return encodeText(job);
    case "readFile":
      return readFile(job);
    case "writeFile":
      return writeFile(job);
  }
}

/** sha256 of a run of bytes: an array of its own, as a `Buffer` may be a view of a pool that belongs to others. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

/** Where a cut divides a run of bytes; nowhere without one. */
export function cutSpan(
  bytes: Uint8Array,
  start: number,
  end: number,
  encodeOptions: EncodeOptions | undefined,
): readonly number[] {
  return encodeOptions === undefined || !("chunkSize" in encodeOptions)
    ? []
    : cutBytes(bytes, start, end, encodeOptions.chunkSize, encodeOptions.utf8);
}

/** How a span is to be compressed, if it is. */
export function packingOf(encodeOptions: EncodeOptions | undefined): CompressionOptions | undefined {
  return encodeOptions !== undefined && "encoding" in encodeOptions ? encodeOptions : undefined;
}

export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Error of a text that does not fit. */
export function overflow(units: number, room: number): Failure {
  return {
    code: "invalid-argument",
    message: `Cannot encode the text as it does not fit into its segment: ${units} UTF-16 units, room for ${room} bytes`,
  };
}

/** Error of bytes that are not those of the digest. */
export function mismatch(job: WriteFileJob | ExtractJob): Failure {
  const action = job.kind === "writeFile" ? "write to the file" : "hand out the bytes";
  const about = job.kind === "writeFile"
    ? `path is "${job.file.path}", position is ${job.position}`
    : `length is ${job.end - job.start}`;
  return { code: "corrupt", message: `Cannot ${action} as the bytes are not those that were sent: ${about}` };
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A copy that other threads do not share, or the text. */
export function extracted({ kind, buffer }: ExtractJob, from: Uint8Array): JobResult {
  const own = from.buffer !== buffer && from.byteLength === from.buffer.byteLength;
  const what = kind === "extract"
    ? { copy: (own ? from.buffer : new Uint8Array(from).buffer) as ArrayBuffer }
    : { text: decoder.decode(from) };
  return { ok: true, value: { bytes: from.length, digest: new Uint8Array(), ends: [], ...what } };
}

function encoded(buffer: SharedArrayBuffer, start: number, end: number, encodeOptions: EncodeOptions | undefined): JobResult {
  const bytes = new Uint8Array(buffer);
  const span = bytes.subarray(start, end);
  const packing = packingOf(encodeOptions);
  const packed = packing === undefined ? undefined : compress(span, packing);
  return { ok: true, value: sliceValue(span, sha256(span), cutSpan(bytes, start, end, encodeOptions), packed) };
}

export function sliceValue(
  { length: bytes }: Uint8Array,
  digest: Uint8Array,
  ends: readonly number[],
  packed: ArrayBuffer | undefined,
): JobValue {
  return { bytes, digest, ends, ...(packed === undefined ? {} : { packed }) };
}

function extract(job: ExtractJob): JobResult {
  const from = plainBytes(job);
  if (from === undefined || !isEqual(sha256(from), job.digest)) return { ok: false, failure: mismatch(job) };
  return extracted(job, from);
}

/** A job's span, unpacked; undefined if it cannot be. */
function plainBytes({ buffer, start, end, packed }: ExtractJob | WriteFileJob): Uint8Array | undefined {
  const from = new Uint8Array(buffer, start, end - start);
  return packed === undefined ? from : decompress(from, packed);
}

function encodeText({ text, buffer, start, encodeOptions }: EncodeTextJob): JobResult {
  const room = new Uint8Array(buffer, start);
  const { read, written } = new TextEncoder().encodeInto(text, room);
  if (read < text.length) return { ok: false, failure: overflow(text.length, room.length) };
  return encoded(buffer, start, start + written, encodeOptions);
}

function readFile(job: ReadFileJob): JobResult {
  let bytes: number;
  try {
    const descriptor = openSync(job.file.path, OPEN_TO_READ);
    try {
      if (!isSameFile(fstatSync(descriptor, { bigint: true }), job.file)) {
        return { ok: false, failure: replacedFailure(job.file) };
      }
      const into = new Uint8Array(job.buffer, job.start, job.length);
      bytes = 0;
      while (bytes < into.length) {
        const more = readSync(descriptor, into, bytes, into.length - bytes, job.position + bytes);
        if (more === 0) break;
        bytes += more;
      }
      const { version } = job.file;
      const end = job.position + bytes;
      // A size is a claim of the file system: that the data end there is seen by a read beyond.
      const goesOn = end === version?.size && readSync(descriptor, new Uint8Array(1), 0, 1, end) > 0;
      if (goesOn || !isUnchanged(fstatSync(descriptor, { bigint: true }), job.file)) {
        return { ok: false, failure: changedFailure(job.file) };
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return { ok: false, failure: fileFailure("read", job.file, error) };
  }
  return encoded(job.buffer, job.start, job.start + bytes, job.encodeOptions);
}

function writeFile(job: WriteFileJob): JobResult {
  const from = plainBytes(job);
  if (from === undefined) return { ok: false, failure: mismatch(job) };
  if (job.digest !== undefined && !isEqual(sha256(from), job.digest)) return { ok: false, failure: mismatch(job) };
  try {
    const descriptor = openSync(job.file.path, OPEN_TO_WRITE);
    try {
      if (!isSameFile(fstatSync(descriptor, { bigint: true }), job.file)) {
        return { ok: false, failure: replacedFailure(job.file) };
      }
      let written = 0;
      while (written < from.length) {
        written += writeSync(descriptor, from, written, from.length - written, job.position + written);
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return { ok: false, failure: fileFailure("write to", job.file, error) };
  }
  return { ok: true, value: { bytes: from.length, digest: new Uint8Array(), ends: [] } };
}
