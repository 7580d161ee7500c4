// Placing of part files under their final names. An existing file is replaced only if the caller asked for that.
import { isSame } from "./file_system.ts";
import { codeOf, refusal } from "./paths.ts";
import type { DiskFileRef } from "../protocol/file_ref.ts";
import type { Entry, FileSystem } from "./file_system.ts";

/** Error codes of file systems without hard links, Android's "EACCES" and Windows' "EISDIR" on FAT included. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set([
  "EACCES",
  "EINVAL",
  "EISDIR",
  "EMLINK",
  "ENOSYS",
  "ENOTSUP",
  "EOPNOTSUPP",
  "EPERM",
  "EXDEV",
]);

/** Attempts at a name that is taken at one moment and free at the next. */
const ATTEMPTS = 20;

/** Gives the file a free name. Returns false for a taken one; its owner, a symbolic link included, stays unchanged. */
export async function placeNew(files: FileSystem, ref: DiskFileRef, path: string): Promise<boolean> {
  for (let attempt = 1;; attempt++) {
    try {
      await files.link(ref.path, path);
      break;
    } catch (error) {
      const code = codeOf(error);
      if (NO_LINKS.has(code)) return replaceHolder(files, ref, path);
      if (code !== "EEXIST") throw error;
      // The other file may have been removed since.
      const entry = await files.lstat(path).catch(ifMissing);
      if (entry === undefined && attempt < ATTEMPTS) continue;
      // A network file system may repeat a request whose answer was lost, so the link may be ours.
      if (entry === undefined || !isSame(entry, ref)) return false;
      break;
    }
  }
  // The file has its final name; a remaining part name is no error.
  await files.unlink(ref.path).catch(() => undefined);
  return true;
}

/** Gives the file a name and replaces a file there, but no folder, device or pipe. A symbolic link is replaced, not followed. */
export async function placeOver(files: FileSystem, ref: DiskFileRef, path: string): Promise<void> {
  const entry = await files.lstat(path).catch(ifMissing);
  if (entry?.kind === "folder") throw refusal("EISDIR", "illegal operation on a directory");
  if (entry?.kind === "other") throw refusal("EEXIST", "not a regular file");
  await files.rename(ref.path, path);
}

/** Handler for `catch` that turns "ENOENT" into undefined. */
export function ifMissing(error: unknown): undefined {
  if (codeOf(error) !== "ENOENT") throw error;
}

/**
 * Gives the file a free name without hard links. An empty holder reserves the name, and then the file replaces the holder. A crash between
 * the two steps leaves an empty file.
 */
async function replaceHolder(files: FileSystem, ref: DiskFileRef, path: string): Promise<boolean> {
  let holder: Entry;
  try {
    holder = await files.create(path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
  try {
    const entry = await files.lstat(path).catch(ifMissing);
    if (entry !== undefined && !isSame(entry, holder)) return false; // a removed holder leaves the name free
    await files.rename(ref.path, path);
    return true;
  } catch (error) {
    await removeIfSame(files, path, holder).catch(() => undefined); // the first error is reported
    throw error;
  }
}

/** Removes a file unless another file has its path. */
export async function removeIfSame(files: FileSystem, path: string, known: { device: string; inode: string }): Promise<void> {
  const entry = await files.lstat(path).catch(ifMissing);
  if (entry !== undefined && isSame(entry, known)) await files.unlink(path).catch(ifMissing);
}
