import type { BigIntStats } from "node:fs";
import type { MaybePromise } from "./steps.ts";
import type { Compression, CompressionLevel, Decompressed } from "./zlib.ts";

/** Operations that jobs are made of: `blocking_engine.ts` for a worker, `sliced_engine.ts` for a thread with an event loop. */
export interface Engine {
  /** Hashes bytes by sha256, to 32 bytes. */
  digest(bytes: Uint8Array): MaybePromise<Uint8Array>;
  /** Encodes a text as UTF-8. Returns the number of bytes, or undefined if the text does not fit. */
  encodeText(text: string, into: Uint8Array): MaybePromise<number | undefined>;
  compress(bytes: Uint8Array, encoding: Compression, level: CompressionLevel): MaybePromise<Uint8Array>;
  /** Decompresses to `length` bytes at most. Fails on bytes of another encoding. */
  decompress(bytes: Uint8Array, encoding: Compression, length: number): MaybePromise<Decompressed>;
  /** Opens an existing file. */
  open(path: string, flags: number): MaybePromise<OpenFile>;
  /** Pause that is due before a step of about a millisecond, which cannot be divided; undefined if the step may begin now. */
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
