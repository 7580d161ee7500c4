// Files that a page saves. A file in a folder is written under an unguessable name, and gets its own when it is whole.
import { StreamError } from "../../errors.ts";
import { randomId } from "../../common/platform.ts";
import { lockOfWriters, withLock } from "../../common/platforms/web_locks.ts";
import type { PageFileHandle, PageFolder, SaveTarget } from "../../protocol/files.ts";
import type { PartOfFile, PartOptions } from "../file_access.ts";
import { cut, numberedName, safeName } from "../safe_name.ts";
import { fileError, isFileHandle, isFolder } from "./handles.ts";
import { nameOfType } from "./mime.ts";
import { holdPart, pathInOrigin, removeAbandonedParts } from "./origin_parts.ts";
import { byStream, byWorkers, PagePart, type Written } from "./page_part.ts";

/** Longest prefix of the final name in a part's name, in bytes. */
const PREFIX_BYTES = 100;

/** Longest name of file systems, in bytes. */
const FILE_NAME_BYTES = 255;

/** Highest number of a numbered name. */
const MAX_NUMBER = 10_000;

/** Lock under which all tabs of an origin look for a free name and take it, as `move` replaces a file without a word. */
const NAMES_LOCK = "millrace.names";

/** File handle of browsers that can rename a file; not every browser can, nor in every folder. */
interface MovableHandle extends PageFileHandle {
  move?(name: string): Promise<void>;
}

/**
 * Creates a file to save to. In a folder it gets the sender's name, made safe, with a number if the name is taken. A file's handle is
 * written as it is, and replaced when the new file is whole; one that has contents needs `overwrite`.
 *
 * Rejects with a StreamError: "file-exists", "unsafe-name", "invalid-argument" for a path, otherwise "file-error" with `cause`.
 */
export async function createPartFile(target: SaveTarget, options: PartOptions): Promise<PartOfFile> {
  if (isFolder(target)) return await inFolder(target, options);
  if (isFileHandle(target)) return await overHandle(target, options);
  throw new StreamError(
    "invalid-argument",
    `Cannot save the file as a page has no paths: the target must be a FileSystemDirectoryHandle or FileSystemFileHandle, ` +
      `its type is "${typeof target}"`,
  );
}

async function inFolder(folder: PageFolder, options: PartOptions): Promise<PartOfFile> {
  const { name, mimeType = "", overwrite } = options;
  const nameBytes = Math.min(options.nameBytes, FILE_NAME_BYTES);
  const finalName = safeName(name === "" ? nameOfType(mimeType) : name, nameBytes);
  const id = randomId();
  const partName = `${cut(finalName, PREFIX_BYTES)}.${id}.part`;
  const path = await pathInOrigin(folder);
  if (path !== undefined) await removeAbandonedParts(folder, path);
  const free = path === undefined ? () => {} : await holdPart(partName);
  const remove = (): Promise<void> => withLock(lockOfWriters(id), () => folder.removeEntry(partName));
  let handle: MovableHandle;
  let written: Written;
  try {
    handle = await folder.getFileHandle(partName, { create: true });
    const isForWorkers = path !== undefined && options.byWorkers;
    written = isForWorkers ? byWorkers({ path: finalName, id, handle }) : await byStream(handle, finalName);
  } catch (cause) {
    await remove().catch(() => {});
    free();
    throw fileError("save", finalName, cause);
  }
  return new PagePart(written, {
    place: () =>
      withLock(NAMES_LOCK, () => place(folder, handle, overwrite ? finalName : freeName(folder, finalName, nameBytes), remove)),
    size: async () => (await handle.getFile()).size,
    remove,
    free,
  });
}

async function overHandle(handle: PageFileHandle, { overwrite }: PartOptions): Promise<PartOfFile> {
  let written: Written;
  try {
    if (!overwrite && (await handle.getFile()).size > 0) {
      throw new StreamError("file-exists", `Cannot save the file as it must be empty: name is ${JSON.stringify(handle.name)}`);
    }
    written = await byStream(handle, handle.name);
  } catch (cause) {
    throw cause instanceof StreamError ? cause : fileError("save", handle.name, cause);
  }
  return new PagePart(written, {
    place: () => Promise.resolve(handle.name),
    size: async () => (await handle.getFile()).size,
    remove: () => Promise.resolve(),
    free() {},
  });
}

/** Renames a part, or copies it where the browser cannot rename; resolves with the name. */
async function place(
  folder: PageFolder,
  part: MovableHandle,
  wanted: string | Promise<string>,
  removePart: () => Promise<void>,
): Promise<string> {
  const name = await wanted;
  if (part.move !== undefined) {
    try {
      await part.move(name);
      return name;
    } catch {
      // Chromium renames in the origin's own folder only.
    }
  }
  const target = await folder.getFileHandle(name, { create: true });
  const writer = await target.createWritable();
  await (await part.getFile()).stream().pipeTo(writer as unknown as WritableStream<Uint8Array>);
  await removePart();
  return name;
}

/** Finds the name, or the first with a number from 2 on, that no file has. */
async function freeName(folder: PageFolder, name: string, nameBytes: number): Promise<string> {
  if (!await isTaken(folder, name)) return name;
  for (let number = 2; number <= MAX_NUMBER; number++) {
    const numbered = numberedName(name, number, nameBytes);
    if (!await isTaken(folder, numbered)) return numbered;
  }
  throw new StreamError("file-exists", `Cannot save the file as its name must be free: name is ${JSON.stringify(name)}`);
}

async function isTaken(folder: PageFolder, name: string): Promise<boolean> {
  try {
    await folder.getFileHandle(name);
    return true;
  } catch (error) {
    const { name: kind } = error as { name?: string };
    if (kind === "NotFoundError") return false;
    if (kind === "TypeMismatchError") return true; // a folder has the name
    throw error;
  }
}
