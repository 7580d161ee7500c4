// Part files whose process was killed: a later save into their folder removes them.
import { join } from "node:path";
import type { FileSystem } from "./file_system.ts";
import { isAbandoned } from "./owner.ts";

/** Milliseconds after which a folder is looked through again: a save must not cost as much as its folder holds. */
const INTERVAL = 60_000;

/** Folders that are remembered; past that all are looked through anew. */
const MOST_FOLDERS = 1_000;

const swept = new Map<string, number>();

/** Removes what dead processes of this machine have left in a folder. Whatever cannot be seen or removed is left. */
export async function removeAbandonedParts(files: FileSystem, folder: string): Promise<void> {
  const now = performance.now();
  if (now - (swept.get(folder) ?? -Infinity) < INTERVAL) return;
  if (swept.size >= MOST_FOLDERS) swept.clear();
  swept.set(folder, now);
  try {
    for (const name of await files.list(folder)) {
      if (!name.endsWith(".part") || !isAbandoned(name)) continue;
      const path = join(folder, name);
      if ((await files.look(path)).kind === "file") await files.unlink(path);
    }
  } catch {
    // Another process may do the same at the same time; what is left is found by the next save.
  }
}
