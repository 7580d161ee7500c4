/** A file as its opener saw it. A later opening of the path compares device and inode, and uses no other file. */
export interface FileRef {
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
