import type { FileRef } from "../../protocol/file_ref.ts";
import type { FrameEncoding } from "../../protocol/wire/frames.ts";
import type { MaybePromise } from "./steps.ts";

/** Compressed encoding. */
export type Compression = Exclude<FrameEncoding, "raw">;

/**
 * Level of compression. "quick" shrinks JSON lines to 1/4 at 250 MB/s (zstd), or to 2/7 at 150 MB/s (deflate). "thorough" results are a
 * tenth smaller, at a third of that rate.
 */
export type CompressionLevel = "quick" | "thorough";

/** Result of a decompression. */
export interface Decompressed {
  readonly bytes: Uint8Array;
  /** Number of compressed bytes that were used. */
  readonly used: number;
}

/** Operations of jobs, by the means of a platform and a kind of thread. */
export interface Engine {
  /** Hashes bytes by sha256, to 32 bytes. */
  digest(bytes: Uint8Array): MaybePromise<Uint8Array>;
  compress(bytes: Uint8Array, encoding: Compression, level: CompressionLevel): MaybePromise<Uint8Array>;
  /** Decompresses to at most `length` bytes. Fails on bytes of another encoding. */
  decompress(bytes: Uint8Array, encoding: Compression, length: number): MaybePromise<Decompressed>;
  /** Decodes UTF-8. Invalid bytes become U+FFFD; a byte order mark stays. */
  decodeText(bytes: Uint8Array): string;
  /** Opens the file of a reference. */
  open(file: FileRef, mode: "read" | "write"): MaybePromise<OpenFile>;
  /** Pause to await before an indivisible step of about 1 ms; undefined if none is due. */
  duePause(): Promise<void> | undefined;
  /** Called with memory of a result, once it is used no more. */
  drop(buffer: ArrayBufferLike): void;
}

/** State of an opened file beside its reference: another file has its path, or it was written to. */
export type FileState = "same" | "changed" | "replaced";

/** An open file. */
export interface OpenFile {
  state(): MaybePromise<FileState>;
  /** Reads from a position up to the array's length. Returns the number of bytes, 0 at the file's end. */
  read(into: Uint8Array, position: number): MaybePromise<number>;
  /** Writes to a position. Returns the number of bytes. */
  write(from: Uint8Array, position: number): MaybePromise<number>;
  close(): MaybePromise<void>;
}

/** Means of a platform to carry jobs out on the calling thread. */
export interface JobPlatform {
  /** Frame encodings that the platform reads and writes. */
  readonly encodings: readonly FrameEncoding[];
  /** Memory of a segment, which threads share where the platform can. */
  allocate(bytes: number): ArrayBufferLike;
  /** Engine for a thread with an event loop. It rejects after the signal was aborted. */
  createEngine(signal: AbortSignal | undefined): Engine;
}
