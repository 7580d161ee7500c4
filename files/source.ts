import { basename } from "node:path";
import { nodeFileSystem } from "./file_system.ts";
import { fileError, givenPath, reasonOf, refusal } from "./paths.ts";
import type { DiskFileRef } from "../protocol/file_ref.ts";
import type { FileToSend } from "../protocol/files.ts";
import type { FileSource } from "./file_access.ts";
import type { Entry, FileSystem } from "./file_system.ts";

/** File of a disk to send. */
export interface DiskSource extends FileSource {
  readonly ref: DiskFileRef;
  /** Absolute path. */
  readonly path: string;
}

/**
 * Opens a file to send, without keeping a descriptor: workers open the path and compare device and inode. A symbolic link is followed, but
 * keeps its own name.
 *
 * Rejects with StreamError "file-error" and `cause` unless the path leads to a readable regular file, as folders, devices and pipes have no
 * known end. Rejects with "invalid-argument" for an invalid path.
 */
export async function openSource(given: FileToSend, files: FileSystem = nodeFileSystem): Promise<DiskSource> {
  const action = "Cannot open the file";
  const { path, folder } = givenPath(given, action);
  let found: Entry;
  try {
    // `stat` comes first, as opening a device can have effects: a tape rewinds.
    found = await files.stat(path);
    if (found.kind === "file" && !folder) found = await files.read(path);
  } catch (cause) {
    throw fileError(`${action} as ${reasonOf(cause)}`, path, cause);
  }
  if (found.kind === "folder") {
    throw fileError(
      `${action} as it must be a regular file: it is a folder`,
      path,
      refusal("EISDIR", "illegal operation on a directory"),
    );
  }
  if (found.kind !== "file") {
    throw fileError(
      `${action} as it must be a regular file: it is a device or a pipe`,
      path,
      refusal("EINVAL", "not a regular file"),
    );
  }
  if (folder) {
    throw fileError(
      `${action} as a path that ends in a slash must be a folder's`,
      path,
      refusal("ENOTDIR", "not a directory"),
    );
  }
  const { device, inode, size, modified } = found;
  const isGenerated = size === 0 && await hasContents(files, path, action);
  return {
    ref: { path, device, inode, version: { size, modified } },
    path,
    name: basename(path),
    size: isGenerated ? undefined : size,
    contents: () => contentsOf(files, path, "Cannot read the file"),
  };
}

async function* contentsOf(files: FileSystem, path: string, action: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* files.contents(path);
  } catch (cause) {
    throw fileError(`${action} as ${reasonOf(cause)}`, path, cause);
  }
}

/** Whether a file of size 0 has contents, as generated files below /proc do. */
async function hasContents(files: FileSystem, path: string, action: string): Promise<boolean> {
  for await (const part of contentsOf(files, path, action)) return part.length > 0;
  return false;
}
