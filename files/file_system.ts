// The few things asked of a file system, so that tests can put a full disk, or one without hard links, in its place.
import { constants } from "node:fs";
import { link, lstat, mkdir, open, readdir, rename, rmdir, stat, unlink } from "node:fs/promises";
import type { BigIntStats } from "node:fs";

/** What stands at a path. */
export interface Seen {
  readonly kind: "file" | "folder" | "link" | "other";
  /** Device number, in decimal. */
  readonly device: string;
  /** Inode number, in decimal. */
  readonly inode: string;
  /** Bytes, as the file system says: where data are made as they are read, below /proc, it says 0. */
  readonly size: number;
  /** When it was last written, in nanoseconds since 1970, in decimal. */
  readonly modified: string;
}

/** Each call rejects as its namesake of `node:fs/promises` does, with an error that has a code. None keeps a descriptor open. */
export interface FileSystem {
  /** What stands at the path itself; a symbolic link is "link". */
  look(path: string): Promise<Seen>;
  /** What the path leads to, through symbolic links. */
  follow(path: string): Promise<Seen>;
  /** Opens for reading what the path leads to, and closes it: that it may be read, and what it is. */
  read(path: string): Promise<Seen>;
  /** The bytes of a file from its start to its end, in order. */
  contents(path: string): AsyncIterable<Uint8Array>;
  /** Makes an empty file where nothing stands, not even a symbolic link: else "EEXIST". */
  create(path: string): Promise<Seen>;
  /** Resolves when the file's bytes would outlive a power cut. */
  sync(path: string): Promise<void>;
  /** The names in a folder. */
  list(path: string): Promise<string[]>;
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes a folder and those above it: the first that was missing, or undefined. */
  mkdir(path: string): Promise<string | undefined>;
  rmdir(path: string): Promise<void>;
}

// Windows has neither flag (and libuv leaves the constants undefined); there, a part's unguessable name and the exclusive create are what protects.
const NO_FOLLOW: number = constants.O_NOFOLLOW ?? 0;
const NO_WAIT: number = constants.O_NONBLOCK ?? 0;

/**
 * A new file has the mode that the process's umask leaves of 0666, as a file made by any program. A narrower one while it is under way
 * would have to be widened at the end, and a process's umask cannot be read without changing it for a moment, for all threads.
 */
const MODE = 0o666;

/** Bytes that are read at a time of a file without a size. */
const PART_BYTES = 65_536;

/** The real one. */
export const nodeFileSystem: FileSystem = {
  look: async (path) => seen(await lstat(path, { bigint: true })),
  follow: async (path) => seen(await stat(path, { bigint: true })),
  // Without waiting: a fifo that took a file's place since it was looked at would hold the open until somebody writes to it.
  read: (path) => opened(path, constants.O_RDONLY | NO_WAIT),
  contents,
  create: (path) => opened(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | NO_FOLLOW),
  sync: async (path) => {
    const handle = await open(path, constants.O_RDWR | NO_FOLLOW); // Windows flushes only what may be written
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  list: (path) => readdir(path),
  link,
  rename,
  unlink,
  mkdir: (path) => mkdir(path, { recursive: true }),
  rmdir,
};

async function opened(path: string, flags: number): Promise<Seen> {
  const handle = await open(path, flags, MODE);
  try {
    return seen(await handle.stat({ bigint: true }));
  } finally {
    await handle.close();
  }
}

async function* contents(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await open(path, constants.O_RDONLY | NO_WAIT);
  try {
    for (;;) {
      const part = new Uint8Array(PART_BYTES);
      const { bytesRead } = await handle.read(part, 0, part.length, null);
      if (bytesRead === 0) return;
      yield part.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function seen(stats: BigIntStats): Seen {
  const { dev, ino, size, mtimeNs } = stats;
  return { kind: kindOf(stats), device: String(dev), inode: String(ino), size: Number(size), modified: String(mtimeNs) };
}

function kindOf(stats: BigIntStats): Seen["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "folder";
  return stats.isSymbolicLink() ? "link" : "other";
}

/** Whether two looks saw the same file. */
export function isSame(one: { device: string; inode: string }, other: { device: string; inode: string }): boolean {
  return one.device === other.device && one.inode === other.inode;
}
