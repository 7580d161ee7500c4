import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import type { Engine, OpenFile } from "./engine.ts";
import { compressSync, decompressSync } from "./zlib.ts";

/** Blocking operations, for worker threads. */
export const blockingEngine: Engine = {
  digest: sha256,
  compress: compressSync,
  decompress: decompressSync,
  open: (path, flags) => new BlockingFile(openSync(path, flags)),
  duePause: () => undefined,
};

/** Hashes bytes. Returns an array with memory of its own; a `Buffer` may be a view of a shared pool. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

class BlockingFile implements OpenFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  stat(): ReturnType<OpenFile["stat"]> {
    return fstatSync(this.#descriptor, { bigint: true });
  }

  read(into: Uint8Array, position: number): number {
    return readSync(this.#descriptor, into, 0, into.length, position);
  }

  write(from: Uint8Array, position: number): number {
    return writeSync(this.#descriptor, from, 0, from.length, position);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
