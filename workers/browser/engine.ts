// Jobs by means of a web page: crypto.subtle, compression streams and files, all without Node.
import { isShared, unshared } from "../../common/memory.ts";
import { platform } from "../../common/platform.ts";
import { shouldYield, yieldToEventLoop } from "../../common/event_loop.ts";
import type { BlobRef, FileRef, OriginFileRef, WritableRef } from "../../protocol/file_ref.ts";
import { abandoned } from "../jobs/failures.ts";
import type { Decompressed, Engine, JobPlatform, OpenFile } from "../jobs/engine.ts";
import type { MaybePromise } from "../jobs/steps.ts";
import { deflate, inflate } from "./deflate.ts";
import { repeatedIfDropped } from "./repeated_call.ts";

/** Bytes hashed without `crypto.subtle` between two checks of the time slice: about 0.2 ms. */
const STEP = 32_768;

/** Operations that wait for the browser's own threads, on a page or in a worker. They reject after the signal was aborted. */
export class BrowserEngine implements Engine {
  readonly #signal: AbortSignal | undefined;

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  async digest(bytes: Uint8Array): Promise<Uint8Array> {
    const { subtle } = crypto as { subtle?: SubtleCrypto }; // absent outside of secure contexts
    if (subtle === undefined) return await this.#digestInSlices(bytes);
    return new Uint8Array(await this.#onUnshared(bytes, (own) => subtle.digest("SHA-256", own)));
  }

  async compress(bytes: Uint8Array): Promise<Uint8Array> {
    // The browser's one level is used for "quick" and "thorough".
    return await this.#onUnshared(bytes, (own) => deflate(own, this));
  }

  async decompress(bytes: Uint8Array, _encoding: string, length: number): Promise<Decompressed> {
    return { bytes: await this.#onUnshared(bytes, (own) => inflate(own, length, this)), used: bytes.length };
  }

  decodeText(bytes: Uint8Array): string {
    return platform().decodeUtf8(bytes);
  }

  open(file: FileRef, mode: "read" | "write"): MaybePromise<OpenFile> {
    if (mode === "read" && "blob" in file) return new ReadableFile(file, (buffer) => this.drop(buffer));
    if (mode === "write" && "write" in file) return new WritableFile(file);
    if (mode === "write" && "handle" in file) return openOnPage(file);
    throw new TypeError(`Cannot open the file as it must be a page's: path is "${file.path}"`);
  }

  duePause(): Promise<void> | undefined {
    return shouldYield() ? this.#pause() : undefined;
  }

  /** A page's collector is quick to free memory. */
  drop(_buffer: ArrayBufferLike): void {}

  /** Makes a call of the browser on bytes in memory that no thread shares. */
  async #onUnshared<T>(bytes: Uint8Array, call: (own: Uint8Array<ArrayBuffer>) => Promise<T>): Promise<T> {
    const own = unshared(bytes);
    const result = await repeatedIfDropped(() => call(own));
    if (own !== bytes) this.drop(own.buffer);
    return result;
  }

  async #digestInSlices(bytes: Uint8Array): Promise<Uint8Array> {
    const hash = platform().createSha256();
    for (let at = 0; at < bytes.length; at += STEP) {
      if (shouldYield()) await this.#pause();
      hash.update(bytes.subarray(at, at + STEP));
    }
    return hash.digest();
  }

  async #pause(): Promise<void> {
    await yieldToEventLoop();
    if (this.#signal?.aborted === true) throw abandoned(this.#signal);
  }
}

/** Opens a file of the origin's own, which a page does only if its workers could not be started. */
async function openOnPage(file: OriginFileRef): Promise<OpenFile> {
  const { RewrittenFile } = await import("./origin_file.ts");
  return new RewrittenFile(file);
}

/** Jobs in a page or its worker. */
export const browserJobs: JobPlatform = {
  encodings: ["raw", "deflate-raw"],
  allocate: (bytes) => hasSharedMemory() ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes),
  createEngine: (signal) => new BrowserEngine(signal),
};

/** Whether the page may share memory with its workers. */
export function hasSharedMemory(): boolean {
  return typeof SharedArrayBuffer !== "undefined" && globalThis.crossOriginIsolated === true;
}

/** A page's file that is read. The browser rejects a read of a file that has changed since it was chosen. */
class ReadableFile implements OpenFile {
  readonly #blob: Blob;
  readonly #drop: (buffer: ArrayBuffer) => void;

  constructor({ blob }: BlobRef, drop: (buffer: ArrayBuffer) => void) {
    this.#blob = blob;
    this.#drop = drop;
  }

  state(): "same" {
    return "same";
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const blob = this.#blob.slice(position, position + into.length);
    const part = new Uint8Array(await repeatedIfDropped(() => blob.arrayBuffer()));
    into.set(part);
    const { length } = part;
    this.#drop(part.buffer);
    return length;
  }

  write(): never {
    throw new TypeError("Cannot write to a file that is read");
  }

  close(): void {}
}

/** A page's file that is written. */
class WritableFile implements OpenFile {
  readonly #file: WritableRef;

  constructor(file: WritableRef) {
    this.#file = file;
  }

  state(): "same" {
    return "same";
  }

  read(): never {
    throw new TypeError("Cannot read a file that is written");
  }

  async write(from: Uint8Array, position: number): Promise<number> {
    await this.#file.write(isShared(from) ? new Uint8Array(from) : from, position);
    return from.length;
  }

  close(): void {}
}
