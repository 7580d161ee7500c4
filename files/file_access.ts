// Contract of both homes of files, files/ for disks and files/web/ for pages, and the pace of their sweeps.
import type { FileRef } from "../protocol/file_ref.ts";
import type { FileToSend, SaveTarget } from "../protocol/files.ts";

/** File to send, as it was when it was opened. */
export interface FileSource {
  /** Reference by which workers read the file. */
  readonly ref: FileRef;
  /** Last component of the path. */
  readonly name: string;
  /** Size, in bytes; undefined for a generated file, whose size the file system gives as 0. */
  readonly size: number | undefined;
  /** Bytes of a file without a size, in order. */
  contents(): AsyncIterable<Uint8Array>;
}

/** Options of a file that is saved. */
export interface PartOptions {
  /** The sender's file name, not yet safe; used if the target is a folder. */
  readonly name: string;
  /** The sender's MIME type. A file without a name is called "file" with the type's extension. */
  readonly mimeType?: string;
  /** True if an existing file may be replaced. */
  readonly overwrite: boolean;
  /** Longest name of a file in a folder, in bytes. */
  readonly nameBytes: number;
  /** True if worker threads write the file: a page's threads have other means than the page. */
  readonly byWorkers?: boolean;
}

/** File that is being written. The caller ends it by `commit` or `discard`. */
export interface PartOfFile {
  /** Reference by which the file is written, by position. */
  readonly ref: FileRef;
  /** Gives the file its final name if its size is `bytes`, and resolves with its path. After a rejection the part has been discarded. */
  commit(bytes: number): Promise<string>;
  /** Removes the part; does nothing after a commit. */
  discard(): Promise<void>;
}

/** File system calls that streams use. */
export interface FileAccess {
  /** Opens a file to send. Rejects with "file-error" and `cause`, and with "invalid-argument" for another kind of value. */
  openSource(file: FileToSend): Promise<FileSource>;
  /** Finds the MIME type of a file name's extension. */
  mimeTypeOf(name: string): string;
  /** Creates a file under another name than its final one. */
  createPartFile(target: SaveTarget, options: PartOptions): Promise<PartOfFile>;
}

/** Time between two sweeps of a folder, in ms: not every save may list its folder. */
const SWEEP_INTERVAL_MS = 60_000;

/** Number of folders whose last sweep is remembered; beyond it all are forgotten. */
const MAX_FOLDERS = 1_000;

/** Times at which folders were swept of abandoned parts. */
export class Sweeps {
  readonly #sweptAt = new Map<string, number>();

  /** Whether a folder is to be swept now; then the next sweep is due later. */
  isDue(folder: string): boolean {
    const now = performance.now();
    if (now - (this.#sweptAt.get(folder) ?? -Infinity) < SWEEP_INTERVAL_MS) return false;
    if (this.#sweptAt.size >= MAX_FOLDERS) this.#sweptAt.clear();
    this.#sweptAt.set(folder, now);
    return true;
  }
}
