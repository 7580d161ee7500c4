// Calls of a file system. Tests replace it by a full disk, or by one without hard links.
import { constants } from "node:fs";
import { link, lstat, mkdir, open, readdir, rename, rmdir, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { whileShort, withDescriptor } from "../common/descriptors.ts";
import { codeOf } from "./paths.ts";
import type { BigIntStats } from "node:fs";

/** Entry of a file system. */
export interface Entry {
  readonly kind: "file" | "folder" | "link" | "other";
  /** Device number, in decimal. */
  readonly device: string;
  /** Inode number, in decimal. */
  readonly inode: string;
  /** Size by the file system, in bytes; 0 for files that are generated as they are read, such as those below /proc. */
  readonly size: number;
  /** Time of the last write, in nanoseconds since 1970, in decimal. */
  readonly modified: string;
}

/**
 * File system calls, which reject like those of `node:fs/promises`, with an error that has a code. None keeps a descriptor open, and each
 * waits for a free one.
 */
export interface FileSystem {
  /** Entry at the path itself; a symbolic link is "link". */
  lstat(path: string): Promise<Entry>;
  /** Entry that the path leads to, through symbolic links. */
  stat(path: string): Promise<Entry>;
  /** Opens the file for reading and closes it: it is readable, and this is its entry. */
  read(path: string): Promise<Entry>;
  /** Bytes of a file, in order. */
  contents(path: string): AsyncIterable<Uint8Array>;
  /** Creates an empty file at a free path; a symbolic link makes it "EEXIST" too. */
  create(path: string): Promise<Entry>;
  /** Flushes the file's bytes to disk. */
  sync(path: string): Promise<void>;
  /** Names in a folder. */
  list(path: string): Promise<string[]>;
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes a folder and its missing parents. Resolves with the topmost one made, or undefined. */
  mkdir(path: string): Promise<string | undefined>;
  rmdir(path: string): Promise<void>;
}

// On Windows both constants are undefined. There the unguessable name and the exclusive creation protect a part.
const NO_FOLLOW: number = constants.O_NOFOLLOW ?? 0;
const NO_WAIT: number = constants.O_NONBLOCK ?? 0;

/**
 * Mode of a new file, less the process's umask, as for any program. A narrower mode of parts would have to be widened at the end by the
 * umask. A process cannot read its umask without changing it for a moment, for all threads.
 */
const MODE = 0o666;

/** Length of one read from a file without a size, in bytes. */
const READ_BYTES = 65_536;

/** File system of Node. */
export const nodeFileSystem: FileSystem = {
  lstat: async (path) => entryOf(await lstat(path, { bigint: true })),
  stat: async (path) => entryOf(await stat(path, { bigint: true })),
  // O_NONBLOCK, as a fifo in the file's place would block the open until somebody writes to it.
  read: (path) => opened(path, constants.O_RDONLY | NO_WAIT),
  contents,
  create: (path) => opened(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | NO_FOLLOW),
  sync: (path) =>
    withDescriptor(async () => {
      const handle = await open(path, constants.O_RDWR | NO_FOLLOW); // Windows flushes writable handles only
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

function opened(path: string, flags: number): Promise<Entry> {
  return withDescriptor(async () => {
    const handle = await open(path, flags, MODE);
    try {
      return entryOf(await handle.stat({ bigint: true }));
    } finally {
      await handle.close();
    }
  });
}

/**
 * Makes a folder and its missing parents, and tries each twice at most. Node's recursive `mkdir` loops for ever below /proc, and below a
 * symbolic link to nowhere.
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
    if (codeOf(error) === "EEXIST" && await isFolder(path)) return made; // another process made it
    throw error;
  }
}

/** Whether the folder was made; false if the path is taken, or the parent is missing. */
async function makeOne(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    const code = codeOf(error);
    // Windows answers "EPERM" for the root of a drive, and a read-only file system may for an existing folder.
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
  // The stream keeps the handle open, so it takes no part in the turns of short work.
  const handle = await whileShort(() => open(path, constants.O_RDONLY | NO_WAIT));
  try {
    for (;;) {
      const part = new Uint8Array(READ_BYTES);
      const { bytesRead } = await handle.read(part, 0, part.length, null);
      if (bytesRead === 0) return;
      yield part.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function entryOf(stats: BigIntStats): Entry {
  const { dev, ino, size, mtimeNs } = stats;
  return { kind: kindOf(stats), device: String(dev), inode: String(ino), size: Number(size), modified: String(mtimeNs) };
}

function kindOf(stats: BigIntStats): Entry["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "folder";
  return stats.isSymbolicLink() ? "link" : "other";
}

/** Whether two entries are the same file. */
export function isSame(one: { device: string; inode: string }, other: { device: string; inode: string }): boolean {
  return one.device === other.device && one.inode === other.inode;
}
