// The jobs on this thread: in time slices, and with the file system's own threads for files.
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { onAbort } from "../../protocol/abort.ts";
import { SEGMENT_BYTES } from "../../protocol/constants.ts";
import { withDescriptor } from "../../protocol/descriptors.ts";
import type { FileRef } from "../../protocol/file_ref.ts";
import { textPieces } from "../../protocol/wire/utf8.ts";
import { shouldYield, yieldToEventLoop } from "../../event_loop.ts";
import { abandoned } from "./abort.ts";
import type { Codec, EncodeOptions, JobOptions } from "../codec.ts";
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
import { JobCodec } from "./job_codec.ts";
import {
  cutSpan,
  type EncodeTextJob,
  extracted,
  type ExtractJob,
  isEqual,
  type Job,
  type JobResult,
  mismatch,
  overflow,
  packingOf,
  type ReadFileJob,
  sliceValue,
  type WriteFileJob,
} from "./jobs.ts";
import { compressInThreadPool, decompressInThreadPool } from "../compression.ts";
import { createSegmentStore, type Segment, type SegmentStore } from "../segments.ts";

/** Bytes hashed, or UTF-16 units encoded, between two looks at the time: 0.2 ms of sha256. */
const STEP = SEGMENT_BYTES;

/** A codec without threads: for `pool: false`, for small jobs, and where workers cannot start. */
export function createInlineCodec(segments: SegmentStore = createSegmentStore()): Codec {
  return new InlineCodec(segments);
}

class InlineCodec extends JobCodec {
  protected submit(job: Job, segment: Segment, { signal }: JobOptions): Promise<JobResult> {
    return runPinned(job, segment, signal);
  }
}

/** Carries a job out on this thread; rejects at once when the signal says so, while a step under way ends by itself. */
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

/** As `runJob` does, but giving the event loop back in time. */
export async function runInSlices(job: Job, signal?: AbortSignal): Promise<JobResult> {
  switch (job.kind) {
    case "slice":
      return await encoded(job.buffer, job.start, job.end, job.encodeOptions, signal);
    case "extract":
    case "decodeText":
      return await extract(job, signal);
    case "encodeText":
      return await encodeText(job, signal);
    case "readFile":
      return await readFile(job, signal);
    case "writeFile":
      return await writeFile(job, signal);
  }
}

/** Between two steps: gives the loop back if the slice is used up, and ends work nobody waits for. */
async function pause(signal: AbortSignal | undefined): Promise<void> {
  await yieldToEventLoop();
  if (signal?.aborted) throw abandoned(signal);
}

async function digestOf(bytes: Uint8Array, start: number, end: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const hash = createHash("sha256");
  for (let at = start; at < end; at += STEP) {
    if (shouldYield()) await pause(signal);
    hash.update(bytes.subarray(at, Math.min(at + STEP, end)));
  }
  return new Uint8Array(hash.digest());
}

async function encoded(
  buffer: SharedArrayBuffer,
  start: number,
  end: number,
  encodeOptions: EncodeOptions | undefined,
  signal: AbortSignal | undefined,
): Promise<JobResult> {
  const bytes = new Uint8Array(buffer);
  const span = bytes.subarray(start, end);
  const digest = await digestOf(bytes, start, end, signal);
  const packing = packingOf(encodeOptions);
  const packed = packing === undefined ? undefined : await compressInThreadPool(span, packing);
  if (signal?.aborted) throw abandoned(signal);
  return { ok: true, value: sliceValue(span, digest, cutSpan(bytes, start, end, encodeOptions), packed) };
}

async function extract(job: ExtractJob, signal: AbortSignal | undefined): Promise<JobResult> {
  const from = await plainBytes(job);
  if (from === undefined || !isEqual(await digestOf(from, 0, from.length, signal), job.digest)) {
    return { ok: false, failure: mismatch(job) };
  }
  while (shouldYield()) await pause(signal); // several may come here at once, and a long text takes a millisecond
  return extracted(job, from);
}

/** A job's span, unpacked; undefined if it cannot be. */
async function plainBytes({ buffer, start, end, packed }: ExtractJob | WriteFileJob): Promise<Uint8Array | undefined> {
  const from = new Uint8Array(buffer, start, end - start);
  return packed === undefined ? from : await decompressInThreadPool(from, packed);
}

async function encodeText(
  { text, buffer, start, encodeOptions }: EncodeTextJob,
  signal: AbortSignal | undefined,
): Promise<JobResult> {
  const encoder = new TextEncoder();
  let written = start;
  for (const piece of textPieces(text, STEP)) {
    if (shouldYield()) await pause(signal);
    const step = encoder.encodeInto(piece, new Uint8Array(buffer, written));
    if (step.read < piece.length) return { ok: false, failure: overflow(text.length, buffer.byteLength - start) };
    written += step.written;
  }
  return await encoded(buffer, start, written, encodeOptions, signal);
}

async function readFile(job: ReadFileJob, signal: AbortSignal | undefined): Promise<JobResult> {
  const into = new Uint8Array(job.buffer, job.start, job.length);
  let bytes = 0;
  const failure = await withFile("read", job.file, OPEN_TO_READ, async (handle) => {
    while (bytes < into.length && !signal?.aborted) {
      const { bytesRead } = await handle.read(into, bytes, into.length - bytes, job.position + bytes);
      if (bytesRead === 0) break;
      bytes += bytesRead;
    }
    const end = job.position + bytes;
    const goesOn = end === job.file.version?.size && (await handle.read(new Uint8Array(1), 0, 1, end)).bytesRead > 0;
    return goesOn || !isUnchanged(await handle.stat({ bigint: true }), job.file) ? changedFailure(job.file) : undefined;
  });
  if (signal?.aborted) throw abandoned(signal);
  if (failure !== undefined) return { ok: false, failure };
  return await encoded(job.buffer, job.start, job.start + bytes, job.encodeOptions, signal);
}

async function writeFile(job: WriteFileJob, signal: AbortSignal | undefined): Promise<JobResult> {
  const from = await plainBytes(job);
  if (from === undefined) return { ok: false, failure: mismatch(job) };
  if (job.digest !== undefined && !isEqual(await digestOf(from, 0, from.length, signal), job.digest)) {
    return { ok: false, failure: mismatch(job) };
  }
  const failure = await withFile("write to", job.file, OPEN_TO_WRITE, async (handle) => {
    let written = 0;
    while (written < from.length && !signal?.aborted) {
      written += (await handle.write(from, written, from.length - written, job.position + written)).bytesWritten;
    }
  });
  if (failure !== undefined) return { ok: false, failure };
  return { ok: true, value: { bytes: from.length, digest: new Uint8Array(), ends: [] } };
}

async function withFile(
  action: string,
  file: FileRef,
  flags: number,
  body: (handle: FileHandle) => Promise<Failure | void>,
): Promise<Failure | undefined> {
  try {
    return await withDescriptor(async () => {
      const handle = await open(file.path, flags);
      try {
        if (!isSameFile(await handle.stat({ bigint: true }), file)) return replacedFailure(file);
        return await body(handle) ?? undefined;
      } finally {
        await handle.close();
      }
    });
  } catch (error) {
    return fileFailure(action, file, error);
  }
}
