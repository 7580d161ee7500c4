// Compression by Node's zlib: on the calling thread, or in Node's thread pool.
import zlib from "node:zlib"; // default import, as Node 20 lacks some of the names
import { promisify } from "node:util";
import type { FrameEncoding } from "../../protocol/wire/frames.ts";
import type { Compression, CompressionLevel, Decompressed } from "../jobs/engine.ts";
import { zstdEnd } from "./zstd_frame.ts";

/** Frame encodings of this JavaScript engine. Not every engine has zstd. */
export const ENCODINGS: readonly FrameEncoding[] = [
  "raw",
  "deflate-raw",
  ...("zstdCompressSync" in zlib ? ["zstd" as const] : []),
];

const LEVELS = { "deflate-raw": { quick: 1, thorough: 6 }, zstd: { quick: 1, thorough: 5 } } as const;

type Options = zlib.ZlibOptions & zlib.ZstdOptions;
type Compress = (bytes: Uint8Array, options: Options) => Promise<Uint8Array>;
type Decompress = (bytes: Uint8Array, options: Options) => Promise<Inflated>;

/** Result of zlib with option `info`, which @types/node lacks. */
interface Inflated {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

/** Compresses on this thread. */
export function compressSync(bytes: Uint8Array, encoding: Compression, level: CompressionLevel): Uint8Array {
  const compress = encoding === "zstd" ? zlib.zstdCompressSync : zlib.deflateRawSync;
  return oneFrame(compress(bytes, compressOptions(encoding, level)), encoding);
}

/** Compresses in Node's thread pool. */
export async function compressInThreadPool(
  bytes: Uint8Array,
  encoding: Compression,
  level: CompressionLevel,
): Promise<Uint8Array> {
  const compress = promisify(encoding === "zstd" ? zlib.zstdCompress : zlib.deflateRaw) as Compress;
  return oneFrame(await compress(bytes, compressOptions(encoding, level)), encoding);
}

/** Decompresses on this thread, to `length` bytes at most. Throws zlib's errors. */
export function decompressSync(bytes: Uint8Array, encoding: Compression, length: number): Decompressed {
  const inflate = encoding === "zstd" ? zlib.zstdDecompressSync : zlib.inflateRawSync;
  return decompressed(inflate(bytes, { maxOutputLength: length, info: true }), bytes, encoding);
}

/** Decompresses in Node's thread pool. Rejects with zlib's errors. */
export async function decompressInThreadPool(bytes: Uint8Array, encoding: Compression, length: number): Promise<Decompressed> {
  const inflate = promisify(encoding === "zstd" ? zlib.zstdDecompress : zlib.inflateRaw) as unknown as Decompress;
  return decompressed(await inflate(bytes, { maxOutputLength: length, info: true }), bytes, encoding);
}

/** Removes the empty frame that Deno's zstd sometimes appends, as a payload must be one frame. */
function oneFrame(compressed: Uint8Array, encoding: Compression): Uint8Array {
  return encoding === "zstd" ? compressed.subarray(0, zstdEnd(compressed)) : compressed;
}

function decompressed(inflated: unknown, from: Uint8Array, encoding: Compression): Decompressed {
  const { buffer, engine } = inflated as Inflated;
  // `bytesWritten` does not always reveal an empty zstd frame at the end.
  return { bytes: buffer, used: encoding === "zstd" ? zstdEnd(from) : engine.bytesWritten };
}

function compressOptions(encoding: Compression, level: CompressionLevel): Options {
  const value = LEVELS[encoding][level];
  return encoding === "zstd" ? { params: { [zlib.constants.ZSTD_c_compressionLevel]: value } } : { level: value };
}
