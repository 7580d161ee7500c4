// Files of a disk, as jobs open them again.
import { type BigIntStats, constants } from "node:fs";
import type { DiskFileRef, FileRef } from "../../protocol/file_ref.ts";
import type { FileState } from "../jobs/engine.ts";

// O_NONBLOCK: opening a pipe that has replaced the file would wait for the other end for ever. O_NOFOLLOW: no link may replace a file that
// is written. A file that is read may be named by a link, so its inode is compared instead. Windows has neither flag.
const FLAGS = {
  read: constants.O_RDONLY | (constants.O_NONBLOCK ?? 0),
  write: constants.O_WRONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0),
} as const;

/** Flags to open an existing file again. */
export function flagsOf(mode: "read" | "write"): number {
  return FLAGS[mode];
}

/** The reference of a file on a disk; other kinds are a page's. */
export function onDisk(file: FileRef): DiskFileRef {
  if ("inode" in file) return file;
  throw new TypeError(`Cannot open the file as it must be on a disk: it is a page's, path is "${file.path}"`);
}

/** State of an opened file. */
export function stateOf(stats: BigIntStats, { device, inode, version }: DiskFileRef): FileState {
  if (!stats.isFile() || String(stats.dev) !== device || String(stats.ino) !== inode) return "replaced";
  if (version === undefined) return "same";
  return Number(stats.size) === version.size && String(stats.mtimeNs) === version.modified ? "same" : "changed";
}
