// The few things asked of a file system, so that tests can put a full disk, or one without hard links, in its place.
import { constants } from "node:fs";
import { link, lstat, mkdir, open, readdir, rename, rmdir, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { whileShort, withDescriptor } from "../protocol/descriptors.ts";
import type { BigIntStats } from "node:fs";

/** Entry at a path. */
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

/**
 * Each call rejects as its namesake of `node:fs/promises` does, with an error that has a code. None keeps a descriptor open, and each
 * waits for one where none is left.
 */
export interface FileSystem {
  /** Entry at the path itself; a symbolic link is "link". */
  look(path: string): Promise<Seen>;
  /** Entry that the path leads to, through symbolic links. */
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
  sync: (path) =>
    withDescriptor(async () => {
      const handle = await open(path, constants.O_RDWR | NO_FOLLOW); // Windows flushes only what may be written
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    }),
  list: (path) => withDescriptor(() => readdir(path)),
  link,
  rename,
  unlink,
  mkdir: makeFolders,
  rmdir,
};

function opened(path: string, flags: number): Promise<Seen> {
  return withDescriptor(async () => {
    const handle = await open(path, flags, MODE);
    try {
      return seen(await handle.stat({ bigint: true }));
    } finally {
      await handle.close();
    }
  });
}

/**
 * Not the runtime's own way of making all folders of a path: below /proc, and below a symbolic link that leads nowhere, Node's tries
 * for ever. This one tries each folder twice at most.
 */
async function makeFolders(path: string): Promise<string | undefined> {
  if (await makeOne(path)) return path;
  if (await isFolder(path)) return undefined;
  const above = dirname(path);
  const made = above === path ? undefined : await makeFolders(above);
  try {
    await mkdir(path);
    return made ?? path;
  } catch (error) {
    if (codeOf(error) === "EEXIST" && await isFolder(path)) return made; // another made it meanwhile
    throw error;
  }
}

/** Whether a folder could be made; false too where something stands there, or the one above is missing. */
async function makeOne(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    const code = codeOf(error);
    // Windows answers "EPERM" for the root of a drive; a read-only file system may say so of a folder that is there.
    if (code === "EEXIST" || code === "ENOENT" || await isFolder(path)) return false;
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

async function* contents(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  // Held for as long as the stream takes: in the turns of short work it would keep others from theirs.
  const handle = await whileShort(() => open(path, constants.O_RDONLY | NO_WAIT));
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

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
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
