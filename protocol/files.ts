// Files as users name them: by path on Node, Bun and Deno, by the browser's objects in a web page.

/** A page's file: the part of `FileSystemFileHandle` that is used. */
export interface PageFileHandle {
  readonly kind: "file";
  /** Name of the file. */
  readonly name: string;
  /** Reads the file as it is now. */
  getFile(): Promise<File>;
  /** Opens the file for writing; what is written replaces it when the stream is closed. */
  createWritable(): Promise<PageFileWriter>;
}

/** The part of `FileSystemWritableFileStream` that is used. */
export interface PageFileWriter {
  /** Writes bytes to a position. */
  write(part: { type: "write"; position: number; data: Uint8Array<ArrayBuffer> }): Promise<void>;
  /** Puts the written file in place. */
  close(): Promise<void>;
  /** Drops all that was written. */
  abort(reason?: unknown): Promise<void>;
}

/** A page's folder: the part of `FileSystemDirectoryHandle` that is used. */
export interface PageFolder {
  readonly kind: "directory";
  /** Name of the folder. */
  readonly name: string;
  /** Finds a file, or makes it. */
  getFileHandle(name: string, options?: { create?: boolean }): Promise<PageFileHandle>;
  /** Removes a file. */
  removeEntry(name: string): Promise<void>;
}

/** File for `sendFile`: a path on Node, Bun and Deno; a `File` or `FileSystemFileHandle` in a page. */
export type FileToSend = string | URL | File | PageFileHandle;

/** Place for `saveTo`: a path on Node, Bun and Deno; a `FileSystemDirectoryHandle` or `FileSystemFileHandle` in a page. */
export type SaveTarget = string | URL | PageFolder | PageFileHandle;
