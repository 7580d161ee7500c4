import { basename } from "node:path";
import { nodeFileSystem } from "./file_system.ts";
import { fileError, givenPath, reasonOf, refusal } from "./paths.ts";
import type { FileRef } from "../protocol/file_ref.ts";
import type { FileSystem, Seen } from "./file_system.ts";

/** A file to be sent, as it was when it was opened. */
export interface FileSource {
  /** Reference by which workers read the file. */
  readonly ref: FileRef;
  /** Absolute. */
  readonly path: string;
  /** The last part of its path. */
  readonly name: string;
  /** Bytes; undefined where the file system says 0 and a read finds some: its length is known at its end. */
  readonly size: number | undefined;
  /** The bytes from start to end, of a file without a size. */
  contents(): AsyncIterable<Uint8Array>;
}

/**
 * Looks at a file that is to be sent, and keeps no descriptor: workers open it by path and compare device and inode. A symbolic link
 * is followed, under its own name.
 *
 * Rejects with a StreamError: "file-error", with `cause`, if there is no such file, if it may not be read, if it is a folder, a device or a
 * pipe (nothing says where those end); "invalid-argument" for what is no path.
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
  const { device, inode, size, modified } = found;
  const isMade = size === 0 && await hasContents(files, path, action);
  return {
    ref: { path, device, inode, version: { size, modified } },
    path,
    name: basename(path),
    size: isMade ? undefined : size,
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

/** Whether a file that says it is empty is so: what is below /proc is made as it is read. */
async function hasContents(files: FileSystem, path: string, action: string): Promise<boolean> {
  for await (const part of contentsOf(files, path, action)) return part.length > 0;
  return false;
}
