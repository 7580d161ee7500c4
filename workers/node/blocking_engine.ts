import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import type { DiskFileRef } from "../../protocol/file_ref.ts";
import type { Engine, FileState, OpenFile } from "../jobs/engine.ts";
import { flagsOf, onDisk, stateOf } from "./disk_file.ts";
import { compressSync, decompressSync } from "./zlib.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Blocking operations, for worker threads. */
export const blockingEngine: Engine = {
  digest: sha256,
  compress: compressSync,
  decompress: decompressSync,
  decodeText: (bytes) => decoder.decode(bytes),
  open: (file, mode) => {
    const ref = onDisk(file);
    return new BlockingFile(openSync(ref.path, flagsOf(mode)), ref);
  },
  duePause: () => undefined,
  drop: () => {}, // the collector is quick to free it
};

/** Hashes bytes. Returns an array with memory of its own; a `Buffer` may be a view of a shared pool. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

class BlockingFile implements OpenFile {
  readonly #descriptor: number;
  readonly #ref: DiskFileRef;

  constructor(descriptor: number, ref: DiskFileRef) {
    this.#descriptor = descriptor;
    this.#ref = ref;
  }

  state(): FileState {
    return stateOf(fstatSync(this.#descriptor, { bigint: true }), this.#ref);
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
