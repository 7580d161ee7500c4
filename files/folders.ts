import { dirname } from "node:path";
import { fileError, reasonOf } from "./paths.ts";
import type { FileSystem } from "./file_system.ts";

/** Makes a folder and its missing parents. Resolves with the topmost one made, or undefined if the folder exists. */
export async function makeFolder(files: FileSystem, path: string): Promise<string | undefined> {
  try {
    return await files.mkdir(path);
  } catch (cause) {
    throw fileError(`Cannot make the folder as ${reasonOf(cause)}`, path, cause);
  }
}

/** Removes a folder and its parents up to `topmost`, while they are empty. */
export async function removeFolders(files: FileSystem, path: string, topmost: string | undefined): Promise<void> {
  if (topmost === undefined) return;
  for (let folder = path; folder.startsWith(topmost) && folder !== dirname(folder); folder = dirname(folder)) {
    try {
      await files.rmdir(folder);
    } catch {
      return; // others use the folder, or have removed it
    }
  }
}
