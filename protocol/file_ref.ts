/** A file as its opener saw it: whoever opens the path again compares device and inode, and writes nowhere else. */
export interface FileRef {
  readonly path: string;
  /** Device number, in decimal. */
  readonly device: string;
  /** Inode number, in decimal. */
  readonly inode: string;
  /** Version of a file that is read; each read checks it. */
  readonly version?: FileVersion;
}

/** A file that is written in place keeps its inode: size and time of modification tell. */
export interface FileVersion {
  /** Bytes. */
  readonly size: number;
  /** Nanoseconds since 1970, in decimal, as exact as the runtime tells. */
  readonly modified: string;
}
