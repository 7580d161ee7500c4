import { dirname } from "node:path";
import { fileError, reasonOf } from "./paths.ts";
import type { FileSystem } from "./file_system.ts";

/** Makes a folder and those above it that are missing. The topmost one made, or undefined if it was there. */
export async function makeFolder(files: FileSystem, path: string): Promise<string | undefined> {
  try {
    return await files.mkdir(path);
  } catch (cause) {
    throw fileError(`Cannot make the folder as ${reasonOf(cause)}`, path, cause);
  }
}

/** Takes a folder that was made, and those above it up to `made`, away again as far as they are empty. */
export async function removeFolders(files: FileSystem, path: string, made: string | undefined): Promise<void> {
  if (made === undefined) return;
  for (let folder = path; folder.startsWith(made) && folder !== dirname(folder); folder = dirname(folder)) {
    try {
      await files.rmdir(folder);
    } catch {
      return; // others use it, or have removed it
    }
  }
}
