import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { SEGMENT_BYTES } from "../../protocol/constants.ts";
import { takeDescriptor } from "../../common/descriptors.ts";
import { shouldYield, yieldToEventLoop } from "../../common/event_loop.ts";
import type { DiskFileRef, FileRef } from "../../protocol/file_ref.ts";
import type { Engine, FileState, OpenFile } from "../jobs/engine.ts";
import { abandoned } from "../jobs/failures.ts";
import { blockingEngine, sha256 } from "./blocking_engine.ts";
import { flagsOf, onDisk, stateOf } from "./disk_file.ts";
import { compressInThreadPool, decompressInThreadPool } from "./zlib.ts";

/** Bytes hashed between two checks of the slice: about 0.2 ms. */
const STEP = SEGMENT_BYTES;

/** Operations in slices of 1 ms, and in Node's thread pool. They reject after the signal was aborted. */
export class SlicedEngine implements Engine {
  readonly #signal: AbortSignal | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  digest(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
    return bytes.length <= STEP && !shouldYield() ? sha256(bytes) : this.#digestInSlices(bytes);
  }

  readonly compress = compressInThreadPool;
  readonly decompress = decompressInThreadPool;
  readonly decodeText = (bytes: Uint8Array): string => blockingEngine.decodeText(bytes);

  /** Opens a file, once a file descriptor is free. */
  async open(file: FileRef, mode: "read" | "write"): Promise<OpenFile> {
    const ref = onDisk(file);
    const giveBack = await takeDescriptor();
    try {
      this.#assertWanted();
      return new PooledFile(await open(ref.path, flagsOf(mode)), ref, giveBack, () => this.#assertWanted());
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  duePause(): Promise<void> | undefined {
    return shouldYield() ? this.#pause() : undefined;
  }

  drop(): void {}

  async #digestInSlices(bytes: Uint8Array): Promise<Uint8Array> {
    const hash = createHash("sha256");
    for (let at = 0; at < bytes.length; at += STEP) {
      if (shouldYield()) await this.#pause();
      hash.update(bytes.subarray(at, at + STEP));
    }
    return new Uint8Array(hash.digest());
  }

  async #pause(): Promise<void> {
    await yieldToEventLoop();
    this.#assertWanted();
  }

  #assertWanted(): void {
    if (this.#signal?.aborted === true) throw abandoned(this.#signal);
  }
}

/** File that is read and written in Node's thread pool. */
class PooledFile implements OpenFile {
  readonly #handle: FileHandle;
  readonly #ref: DiskFileRef;
  readonly #closed: () => void;
  readonly #assertWanted: () => void;

  constructor(handle: FileHandle, ref: DiskFileRef, closed: () => void, assertWanted: () => void) {
    this.#handle = handle;
    this.#ref = ref;
    this.#closed = closed;
    this.#assertWanted = assertWanted;
  }

  async state(): Promise<FileState> {
    return stateOf(await this.#handle.stat({ bigint: true }), this.#ref);
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    this.#assertWanted();
    return (await this.#handle.read(into, 0, into.length, position)).bytesRead;
  }

  async write(from: Uint8Array, position: number): Promise<number> {
    this.#assertWanted();
    return (await this.#handle.write(from, 0, from.length, position)).bytesWritten;
  }

  async close(): Promise<void> {
    try {
      await this.#handle.close();
    } finally {
      this.#closed();
    }
  }
}
