// Part files of killed processes. A later save into their folder removes them.
import { join } from "node:path";
import type { FileSystem } from "./file_system.ts";
import { isAbandoned } from "./owner.ts";

/** Time between two sweeps of a folder, in ms: not every save may list its folder. */
const SWEEP_INTERVAL_MS = 60_000;

/** Number of folders whose last sweep is remembered; beyond it all are forgotten. */
const MAX_FOLDERS = 1_000;

const sweptAt = new Map<string, number>();

/** Removes part files that dead processes of this machine left in a folder. Errors are ignored. */
export async function removeAbandonedParts(files: FileSystem, folder: string): Promise<void> {
  const now = performance.now();
  if (now - (sweptAt.get(folder) ?? -Infinity) < SWEEP_INTERVAL_MS) return;
  if (sweptAt.size >= MAX_FOLDERS) sweptAt.clear();
  sweptAt.set(folder, now);
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
