// Compression of frames: here and nowhere else.
import zlib from "node:zlib"; // not by name: a bundler would import names that Node 20 lacks
import { promisify } from "node:util";
import { SEGMENT_HEADROOM } from "../protocol/constants.ts";
import { type FrameEncoding, isCompressed } from "../protocol/wire/frames.ts";
import { zstdEnd } from "./zstd_frame.ts";

/** Encodings that this engine knows: not every one has zstd. */
export const ENCODINGS: readonly FrameEncoding[] = [
  "raw",
  "deflate-raw",
  ...("zstdCompressSync" in zlib ? ["zstd" as const] : []),
];

/** How a span is to be compressed. */
export interface CompressionOptions {
  readonly encoding: Exclude<FrameEncoding, "raw">;
  /** A slow wire is worth more work. */
  readonly thorough: boolean;
  /** Whether a part of it is tried first, as it may be of no use. */
  readonly sample: boolean;
}

/** Plain form of a compressed span. */
export interface CompressedPayload {
  readonly encoding: FrameEncoding;
  /** Its plain bytes: no more are ever made of it. */
  readonly length: number;
}

/** Bytes that are tried, from the middle of a span. */
const SAMPLE_BYTES = 16_384;

/** Greatest sizes that are worth it, as shares of the plain size, for a sample and for a span. */
const SAMPLE_SHARE = 0.9;
const WORTH_SHARE = 0.97;

/** Quick: JSON lines to a quarter at some 250 MB/s (zstd), to 2/7 at 150 (deflate). Thorough: a tenth less, at a third of that. */
const LEVELS = { "deflate-raw": { quick: 1, thorough: 6 }, zstd: { quick: 1, thorough: 5 } } as const;

/** The payload with room for a frame's header before it; undefined if that would not be smaller. */
export function compress(bytes: Uint8Array, packing: CompressionOptions): ArrayBuffer | undefined {
  const compress = packing.encoding === "zstd" ? zlib.zstdCompressSync : zlib.deflateRawSync;
  const steps = packed(bytes, packing);
  let step = steps.next();
  while (!step.done) step = steps.next(compress(step.value.bytes, step.value.options));
  return step.value;
}

/** The same on threads that are not ours. */
export async function compressInThreadPool(bytes: Uint8Array, packing: CompressionOptions): Promise<ArrayBuffer | undefined> {
  const compress = promisify(packing.encoding === "zstd" ? zlib.zstdCompress : zlib.deflateRaw) as Elsewhere;
  const steps = packed(bytes, packing);
  let step = steps.next();
  while (!step.done) step = steps.next(await compress(step.value.bytes, step.value.options));
  return step.value;
}

/** The plain bytes; undefined if they are not what was packed. */
export function decompress(bytes: Uint8Array, { encoding, length }: CompressedPayload): Uint8Array | undefined {
  const inflate = encoding === "zstd" ? zlib.zstdDecompressSync : zlib.inflateRawSync;
  try {
    if (!isCompressed(encoding)) return ofLength(length, bytes);
    return whole(inflate(bytes, { maxOutputLength: length, info: true }), encoding, bytes, length);
  } catch {
    return undefined;
  }
}

/** The same on threads that are not ours. */
export async function decompressInThreadPool(
  bytes: Uint8Array,
  { encoding, length }: CompressedPayload,
): Promise<Uint8Array | undefined> {
  const inflate = promisify(encoding === "zstd" ? zlib.zstdDecompress : zlib.inflateRaw) as unknown as (
    bytes: Uint8Array,
    options: Options,
  ) => Promise<Inflated>;
  try {
    if (!isCompressed(encoding)) return ofLength(length, bytes);
    return whole(await inflate(bytes, { maxOutputLength: length, info: true }), encoding, bytes, length);
  } catch {
    return undefined;
  }
}

type Options = zlib.ZlibOptions & zlib.ZstdOptions;
type Elsewhere = (bytes: Uint8Array, options: Options) => Promise<Uint8Array>;

/** Yields what is to be compressed, one after the other, and is given each result. */
function* packed(
  bytes: Uint8Array,
  { encoding, thorough, sample }: CompressionOptions,
): Generator<{ bytes: Uint8Array; options: Options }, ArrayBuffer | undefined, Uint8Array> {
  if (sample) {
    const tried = sampleOf(bytes);
    const { length } = yield { bytes: tried, options: optionsOf(encoding, false) };
    if (length >= SAMPLE_SHARE * tried.length) return undefined;
  }
  const compressed = yield { bytes, options: optionsOf(encoding, thorough) };
  // Deno's zstd sometimes adds an empty frame: a payload is one stream.
  return worth(bytes, encoding === "zstd" ? compressed.subarray(0, zstdEnd(compressed)) : compressed);
}

/** Result of zlib with `info`; its types say the bytes alone. */
interface Inflated {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

/** The plain bytes, if the payload ends where its compressed stream does: bytes after it, or a second stream, are not ours. */
function whole(inflated: unknown, encoding: FrameEncoding, payload: Uint8Array, length: number): Uint8Array | undefined {
  const { buffer, engine } = inflated as Inflated;
  // An engine need not tell of an empty zstd frame that follows.
  const end = encoding === "zstd" ? zstdEnd(payload) : engine.bytesWritten;
  return end === payload.length ? ofLength(length, buffer) : undefined;
}

function ofLength(length: number, plain: Uint8Array): Uint8Array | undefined {
  return plain.length === length ? plain : undefined;
}

function optionsOf(encoding: CompressionOptions["encoding"], thorough: boolean): Options {
  const level = LEVELS[encoding][thorough ? "thorough" : "quick"];
  return encoding === "zstd" ? { params: { [zlib.constants.ZSTD_c_compressionLevel]: level } } : { level };
}

function sampleOf(bytes: Uint8Array): Uint8Array {
  const start = Math.max(0, Math.floor((bytes.length - SAMPLE_BYTES) / 2));
  return bytes.subarray(start, start + SAMPLE_BYTES);
}

function worth(plain: Uint8Array, compressed: Uint8Array): ArrayBuffer | undefined {
  if (compressed.length >= WORTH_SHARE * plain.length) return undefined;
  const payload = new Uint8Array(SEGMENT_HEADROOM + compressed.length);
  payload.set(compressed, SEGMENT_HEADROOM);
  return payload.buffer;
}
