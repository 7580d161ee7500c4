import { basename } from "node:path";
import { nodeFileSystem } from "./file_system.ts";
import { fileError, givenPath, reasonOf, refusal } from "./paths.ts";
import type { FileRef } from "../protocol/file_ref.ts";
import type { Entry, FileSystem } from "./file_system.ts";

/** File to send, as it was when it was opened. */
export interface FileSource {
  /** Reference by which workers read the file. */
  readonly ref: FileRef;
  /** Absolute path. */
  readonly path: string;
  /** Last component of the path. */
  readonly name: string;
  /** Size, in bytes; undefined for a generated file, whose size the file system gives as 0. */
  readonly size: number | undefined;
  /** Bytes of a file without a size, in order. */
  contents(): AsyncIterable<Uint8Array>;
}

/**
 * Opens a file to send, without keeping a descriptor: workers open the path and compare device and inode. A symbolic link is followed, but
 * keeps its own name.
 *
 * Rejects with StreamError "file-error" and `cause` unless the path leads to a readable regular file, as folders, devices and pipes have no
 * known end. Rejects with "invalid-argument" for an invalid path.
 */
export async function openSource(given: string | URL, files: FileSystem = nodeFileSystem): Promise<FileSource> {
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
