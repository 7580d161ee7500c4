import type { PageFileHandle } from "./files.ts";

/** File that workers open, as data that can be posted: on a disk, or of a web page. */
export type FileRef = DiskFileRef | BlobRef | WritableRef | OriginFileRef;

/** A file as its opener saw it. A later opening of the path compares device and inode, and uses no other file. */
export interface DiskFileRef {
  readonly path: string;
  /** Device number, in decimal. */
  readonly device: string;
  /** Inode number, in decimal. */
  readonly inode: string;
  /** Version of a file that is read; each read checks it. */
  readonly version?: FileVersion;
}

/** Size and time of modification: a file that is written in place keeps its inode. */
export interface FileVersion {
  /** Bytes. */
  readonly size: number;
  /** Nanoseconds since 1970, in decimal, as exact as the runtime tells. */
  readonly modified: string;
}

/** A page's file that is read. The browser refuses to read one that has changed. */
export interface BlobRef {
  /** Name, for messages. */
  readonly path: string;
  readonly blob: Blob;
}

/** A page's file that is written, by position. It is not posted: the page writes to it. */
export interface WritableRef {
  /** Name, for messages. */
  readonly path: string;
  write(bytes: Uint8Array, position: number): Promise<void>;
}

/** A file of the origin's private file system, which workers write to by position. */
export interface OriginFileRef {
  /** Name, for messages. */
  readonly path: string;
  /** Unguessable name of the file's writers. */
  readonly id: string;
  readonly handle: PageFileHandle;
}
