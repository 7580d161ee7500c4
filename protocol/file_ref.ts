/** A file as its opener saw it: whoever opens the path again compares device and inode, and writes nowhere else. */
export interface FileRef {
  readonly path: string;
  /** Device number, in decimal. */
  readonly device: string;
  /** Inode number, in decimal. */
  readonly inode: string;
}
