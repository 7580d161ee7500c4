// Part files of killed processes. A later save into their folder removes them.
import { join } from "node:path";
import { Sweeps } from "./file_access.ts";
import type { FileSystem } from "./file_system.ts";
import { isAbandoned } from "./owner.ts";

const sweeps = new Sweeps();

/** Removes part files that dead processes of this machine left in a folder. Errors are ignored. */
export async function removeAbandonedParts(files: FileSystem, folder: string): Promise<void> {
  if (!sweeps.isDue(folder)) return;
  try {
    for (const name of await files.list(folder)) {
      if (!name.endsWith(".part") || !isAbandoned(name)) continue;
      const path = join(folder, name);
      if ((await files.lstat(path)).kind === "file") await files.unlink(path);
    }
  } catch {
    // Another process may sweep at the same time; a later save finds the rest.
  }
}
