// How a file under way takes its final name: never over a file that stands there, unless that is what was asked for.
import { isSame } from "./file_system.ts";
import { codeOf, refusal } from "./paths.ts";
import type { FileRef } from "../protocol/file_ref.ts";
import type { FileSystem, Seen } from "./file_system.ts";

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

/** How often a name is tried whose holder goes as soon as it is looked at. */
const ATTEMPTS = 20;

/** Gives the file a name that is free. False if it is not: whatever has it, a symbolic link too, is left alone. */
export async function placeNew(files: FileSystem, ref: FileRef, path: string): Promise<boolean> {
  for (let attempt = 1;; attempt++) {
    try {
      await files.link(ref.path, path);
      break;
    } catch (error) {
      const code = codeOf(error);
      if (NO_LINKS.has(code)) return placeOverHolder(files, ref, path);
      if (code !== "EEXIST") throw error;
      // The file that had the name may be gone by now: whoever empties the folder does so while others come.
      const there = await files.look(path).catch(ifMissing);
      if (there === undefined && attempt < ATTEMPTS) continue;
      // Over a network, a link that was made may be asked for again, as its answer was lost.
      if (there === undefined || !isSame(there, ref)) return false;
      break;
    }
  }
  // The file stands under its name. Should its other name stay, that is no reason to say it did not arrive.
  await files.unlink(ref.path).catch(() => undefined);
  return true;
}

/** Gives the file a name and ends what had it, unless that is a folder, a device or a pipe. A symbolic link is replaced, not followed. */
export async function placeOver(files: FileSystem, ref: FileRef, path: string): Promise<void> {
  const there = await files.look(path).catch(ifMissing);
  if (there?.kind === "folder") throw refusal("EISDIR", "illegal operation on a directory");
  if (there?.kind === "other") throw refusal("EEXIST", "not a regular file");
  await files.rename(ref.path, path);
}

/** For `catch`: nothing stands there. */
export function ifMissing(error: unknown): undefined {
  if (codeOf(error) !== "ENOENT") throw error;
}

/**
 * Without hard links: an empty file takes the name, and the whole one replaces it if nobody else did. For that moment, and after a crash
 * within it, the name stands for an empty file.
 */
async function placeOverHolder(files: FileSystem, ref: FileRef, path: string): Promise<boolean> {
  let holder: Seen;
  try {
    holder = await files.create(path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
  try {
    const there = await files.look(path).catch(ifMissing);
    if (there !== undefined && !isSame(there, holder)) return false; // where it was taken away, the name is free
    await files.rename(ref.path, path);
    return true;
  } catch (error) {
    await removeIfSame(files, path, holder).catch(() => undefined); // the first failure is the one to tell of
    throw error;
  }
}

/** Removes a file unless another has its place. */
export async function removeIfSame(files: FileSystem, path: string, known: { device: string; inode: string }): Promise<void> {
  const there = await files.look(path).catch(ifMissing);
  if (there !== undefined && isSame(there, known)) await files.unlink(path).catch(ifMissing);
}
