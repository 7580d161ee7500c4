// The jobs as steps that run on an engine.
import { equalBytes } from "../../common/platform.ts";
import { StreamError } from "../../errors.ts";
import { cutBytes, decodedPieces } from "../../protocol/wire/chunking.ts";
import type { FileRef } from "../../protocol/file_ref.ts";
import type { EncodeOptions } from "../codec.ts";
import { compress, decompress } from "./compression.ts";
import type { Engine, OpenFile } from "./engine.ts";
import { changedFailure, type Failure, fileFailure, replacedFailure } from "./failures.ts";
import type { ExtractJob, Job, JobResult, ReadFileJob, WriteFileJob } from "./job.ts";
import { resultOf, type Steps } from "./steps.ts";

/** Carries a job out. Failures are results; throws only if the job was abandoned, or for a defect. */
export function carryOut(job: Job, engine: Engine): Steps<JobResult> {
  switch (job.kind) {
    case "slice":
      return encode(job.buffer, job.start, job.end, job.encodeOptions, engine);
    case "check":
    case "extract":
    case "decodeText":
      return extract(job, engine);
    case "readFile":
      return readFile(job, engine);
    case "writeFile":
      return writeFile(job, engine);
  }
}

function* encode(
  buffer: ArrayBufferLike,
  start: number,
  end: number,
  options: EncodeOptions | undefined,
  engine: Engine,
): Steps<JobResult> {
  const bytes = new Uint8Array(buffer);
  const span = bytes.subarray(start, end);
  const digest = yield* resultOf(engine.digest(span));
  if (options === undefined) return { ok: true, value: { bytes: span.length, digest, ends: [] } };
  if ("chunkSize" in options) {
    const ends = cutBytes(bytes, start, end, options.chunkSize, options.utf8);
    return { ok: true, value: { bytes: span.length, digest, ends } };
  }
  const compressed = yield* compress(span, options, engine);
  const value = { bytes: span.length, digest, ends: [] };
  return { ok: true, value: compressed === undefined ? value : { ...value, compressed } };
}

function* extract(job: ExtractJob, engine: Engine): Steps<JobResult> {
  const plain = yield* checkedBytes(job, engine);
  if (plain === undefined) return { ok: false, failure: mismatch(job) };
  const value = { bytes: plain.length, digest: new Uint8Array(), ends: [] };
  if (job.kind === "check") {
    dropDecompressed(plain, job, engine);
    return { ok: true, value };
  }
  // Asked again after each pause: several jobs may wait for the same turn of the event loop.
  for (let pause = engine.duePause(); pause !== undefined; pause = engine.duePause()) yield* resultOf(pause);
  if (job.kind === "decodeText") {
    const texts = decodedPieces(plain, (piece) => engine.decodeText(piece));
    dropDecompressed(plain, job, engine);
    return { ok: true, value: { ...value, texts } };
  }
  // Only a decompressed payload with a buffer of its own can be transferred without a copy.
  const isOwn = plain.buffer !== job.buffer && plain.byteLength === plain.buffer.byteLength;
  return { ok: true, value: { ...value, copy: (isOwn ? plain.buffer : new Uint8Array(plain).buffer) as ArrayBuffer } };
}

function* readFile(job: ReadFileJob, engine: Engine): Steps<JobResult> {
  const into = new Uint8Array(job.buffer, job.start, job.length);
  let bytes = 0;
  const failure = yield* withFile(job.file, "read", engine, function* (file) {
    while (bytes < into.length) {
      const more = yield* resultOf(file.read(into.subarray(bytes), job.position + bytes));
      if (more === 0) break;
      bytes += more;
    }
    const end = job.position + bytes;
    // A read beyond the stated size detects a file that has more data.
    const goesOn = end === sizeOf(job.file) && (yield* resultOf(file.read(new Uint8Array(1), end))) > 0;
    return goesOn || (yield* resultOf(file.state())) !== "same" ? changedFailure(job.file) : undefined;
  });
  if (failure !== undefined) return { ok: false, failure };
  return yield* encode(job.buffer, job.start, job.start + bytes, job.encodeOptions, engine);
}

function* writeFile(job: WriteFileJob, engine: Engine): Steps<JobResult> {
  const plain = yield* checkedBytes(job, engine);
  if (plain === undefined) return { ok: false, failure: mismatch(job) };
  const failure = yield* withFile(job.file, "write", engine, function* (file) {
    let written = 0;
    while (written < plain.length) {
      written += yield* resultOf(file.write(plain.subarray(written), job.position + written));
    }
    return undefined;
  });
  dropDecompressed(plain, job, engine);
  if (failure !== undefined) return { ok: false, failure };
  return { ok: true, value: { bytes: plain.length, digest: new Uint8Array(), ends: [] } };
}

function dropDecompressed(plain: Uint8Array, { buffer }: Job, engine: Engine): void {
  if (plain.buffer !== buffer) engine.drop(plain.buffer);
}

/** Plain bytes of a job's span; undefined if decompression fails, or the digest differs. */
function* checkedBytes(job: ExtractJob | WriteFileJob, engine: Engine): Steps<Uint8Array | undefined> {
  const { buffer, start, end, digest, compressed } = job;
  const span = new Uint8Array(buffer, start, end - start);
  const plain = compressed === undefined ? span : yield* decompress(span, compressed, engine);
  if (plain === undefined || digest === undefined) return plain;
  return equalBytes(yield* resultOf(engine.digest(plain)), digest) ? plain : undefined;
}

/** Opens the file of a reference, works on it, and closes it. */
function* withFile(
  ref: FileRef,
  mode: "read" | "write",
  engine: Engine,
  work: (file: OpenFile) => Steps<Failure | undefined>,
): Steps<Failure | undefined> {
  try {
    const file = yield* resultOf(engine.open(ref, mode));
    try {
      return (yield* resultOf(file.state())) === "replaced" ? replacedFailure(ref) : yield* work(file);
    } finally {
      yield* resultOf(file.close());
    }
  } catch (error) {
    if (error instanceof StreamError) throw error; // the job was aborted
    return fileFailure(mode === "read" ? "read" : "write to", ref, error);
  }
}

/** Size of a file that is read, where its reference states one. */
function sizeOf(file: FileRef): number | undefined {
  return "inode" in file ? file.version?.size : undefined;
}

function mismatch(job: WriteFileJob | ExtractJob): Failure {
  const action = job.kind === "writeFile" ? "write to the file" : "hand out the bytes";
  const about = job.kind === "writeFile"
    ? `path is "${job.file.path}", position is ${job.position}`
    : `length is ${job.end - job.start}`;
  return { code: "corrupt", message: `Cannot ${action} as the bytes are not those that were sent: ${about}` };
}
