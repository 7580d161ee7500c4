import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { SEGMENT_BYTES } from "../../protocol/constants.ts";
import { takeDescriptor } from "../../common/descriptors.ts";
import { shouldYield, yieldToEventLoop } from "../../common/event_loop.ts";
import { abandoned } from "./failures.ts";
import { sha256 } from "./blocking_engine.ts";
import type { Engine, OpenFile } from "./engine.ts";
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

  /** Opens a file, once a file descriptor is free. */
  async open(path: string, flags: number): Promise<OpenFile> {
    const giveBack = await takeDescriptor();
    try {
      this.#assertWanted();
      return new PooledFile(await open(path, flags), giveBack, () => this.#assertWanted());
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  duePause(): Promise<void> | undefined {
    return shouldYield() ? this.#pause() : undefined;
  }

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
  readonly #closed: () => void;
  readonly #assertWanted: () => void;

  constructor(handle: FileHandle, closed: () => void, assertWanted: () => void) {
    this.#handle = handle;
    this.#closed = closed;
    this.#assertWanted = assertWanted;
  }

  stat(): ReturnType<OpenFile["stat"]> {
    return this.#handle.stat({ bigint: true });
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
