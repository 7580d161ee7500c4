// Parts of files in the origin's private file system. Each is under a lock of its tab, so that a later save finds those of closed tabs.
import { takeLock, withFreeLock } from "../../common/platforms/web_locks.ts";
import type { PageFolder } from "../../protocol/files.ts";
import { Sweeps } from "../file_access.ts";

/** Names of parts: the final name, and an id. */
const PART = /\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.part$/;

const sweeps = new Sweeps();

/** A folder whose entries can be listed. */
interface ListedFolder extends PageFolder {
  keys?(): AsyncIterable<string>;
}

/** Path of a folder in the origin's private file system; undefined for a folder that the user has picked. */
export async function pathInOrigin(folder: PageFolder): Promise<string | undefined> {
  try {
    const root = await navigator.storage.getDirectory();
    const path = await root.resolve(folder as FileSystemDirectoryHandle);
    return path === null ? undefined : `/${path.join("/")}`;
  } catch {
    return undefined; // no secure context, or an object with the same members
  }
}

/** Marks a part as in use until the returned call, or until the tab is closed. */
export function holdPart(partName: string): Promise<() => void> {
  return takeLock(lockOf(partName));
}

/** Removes parts that closed tabs left in a folder. Errors are ignored. */
export async function removeAbandonedParts(folder: ListedFolder, path: string): Promise<void> {
  if (!sweeps.isDue(path)) return;
  try {
    for await (const name of folder.keys?.() ?? []) {
      if (PART.test(name)) await withFreeLock(lockOf(name), () => folder.removeEntry(name));
    }
  } catch {
    // Another tab may sweep at the same time; a later save finds the rest.
  }
}

function lockOf(partName: string): string {
  return `millrace.part.${partName}`;
}
