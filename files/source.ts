import { basename } from "node:path";
import { nodeFileSystem } from "./file_system.ts";
import { fileError, givenPath, reasonOf, refusal } from "./paths.ts";
import type { FileRef } from "../protocol/file_ref.ts";
import type { FileSystem, Seen } from "./file_system.ts";

/** A file to be sent, as it was when it was opened. */
export interface FileSource {
  /** What workers read by. */
  readonly ref: FileRef;
  /** Absolute. */
  readonly path: string;
  /** The last part of its path. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * Looks at a file that is to be sent, and keeps no descriptor: workers open it by path and compare device and inode. A symbolic link
 * is followed, under its own name.
 *
 * Rejects with a StreamError: "file-error", with `cause`, if there is no such file, if it may not be read, if it is a folder, a device or a
 * pipe (what has no size cannot be announced); "invalid-argument" for what is no path.
 */
export async function openSource(given: string | URL, files: FileSystem = nodeFileSystem): Promise<FileSource> {
  const action = "Cannot open the file";
  const { path, folder } = givenPath(given, action);
  let found: Seen;
  try {
    // Looked at first, as to open a device can have effects: a tape winds back.
    found = await files.follow(path);
    if (found.kind === "file" && !folder) found = await files.read(path);
  } catch (cause) {
    throw fileError(`${action} as ${reasonOf(cause)}`, path, cause);
  }
  if (found.kind === "folder") {
    throw fileError(`${action} as it is a folder`, path, refusal("EISDIR", "illegal operation on a directory"));
  }
  if (found.kind !== "file") {
    throw fileError(`${action} as it is a device or a pipe`, path, refusal("EINVAL", "not a regular file"));
  }
  if (folder) {
    throw fileError(
      `${action} as it is not a folder, though its path ends in a slash`,
      path,
      refusal("ENOTDIR", "not a directory"),
    );
  }
  const { device, inode, size } = found;
  return { ref: { path, device, inode }, path, name: basename(path), size };
}
