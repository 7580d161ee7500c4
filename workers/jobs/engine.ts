import type { BigIntStats } from "node:fs";
import type { MaybePromise } from "./steps.ts";
import type { Compression, CompressionLevel, Decompressed } from "./zlib.ts";

/** Operations of jobs: `blocking_engine.ts` for worker threads, `sliced_engine.ts` for the calling thread. */
export interface Engine {
  /** Hashes bytes by sha256, to 32 bytes. */
  digest(bytes: Uint8Array): MaybePromise<Uint8Array>;
  compress(bytes: Uint8Array, encoding: Compression, level: CompressionLevel): MaybePromise<Uint8Array>;
  /** Decompresses to at most `length` bytes. Fails on bytes of another encoding. */
  decompress(bytes: Uint8Array, encoding: Compression, length: number): MaybePromise<Decompressed>;
  /** Opens an existing file. */
  open(path: string, flags: number): MaybePromise<OpenFile>;
  /** Pause to await before an indivisible step of about 1 ms; undefined if none is due. */
  duePause(): Promise<void> | undefined;
}

/** An open file. */
export interface OpenFile {
  stat(): MaybePromise<BigIntStats>;
  /** Reads from a position up to the array's length. Returns the number of bytes, 0 at the file's end. */
  read(into: Uint8Array, position: number): MaybePromise<number>;
  /** Writes to a position. Returns the number of bytes. */
  write(from: Uint8Array, position: number): MaybePromise<number>;
  close(): MaybePromise<void>;
}
