// Folders as a stream of tar, by modern-tar: its unpacking keeps every entry, link and path inside the folder it is given.
import { type BigIntStats, createReadStream, readlinkSync } from "node:fs";
import { lstat, mkdir, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { packTar, unpackTar } from "modern-tar/fs";
import { Failure } from "../failure.ts";

/** The attribute of a stream that is a folder; its value is about how many bytes the tar has. */
export const FOLDER_ATTRIBUTE = "millrace.folder";

export const TAR_TYPE = "application/x-tar";

/** Tar pads headers and files to blocks of this many bytes, and ends with two. */
const BLOCK = 512;

/** A file as it was packed. */
type Version = Pick<BigIntStats, "size" | "mtimeNs">;

export interface FolderContents {
  /** Bytes of the tar, but for long names and what changes meanwhile. */
  readonly bytes: number;
  /** Paths that are left out: links that lead out of the folder, and what is neither file, folder nor link. */
  readonly leftOut: readonly string[];
}

/** Walks the folder. Rejects with the file system's error. */
export async function measureFolder(folder: string): Promise<FolderContents> {
  const leftOut: string[] = [];
  let bytes = BLOCK + 2 * BLOCK; // the folder's own header, and the end
  const waiting = [folder];
  for (let parent = waiting.pop(); parent !== undefined; parent = waiting.pop()) {
    for (const name of await readdir(parent)) {
      const path = join(parent, name);
      const found = await lstat(path, { bigint: true });
      if (!isPacked(folder, path, found)) leftOut.push(path);
      else bytes += BLOCK + (found.isFile() ? Math.ceil(Number(found.size) / BLOCK) * BLOCK : 0);
      if (found.isDirectory()) waiting.push(path);
    }
  }
  return { bytes, leftOut };
}

/**
 * The folder as a tar whose paths begin with `name`. Throws at its end if a file has changed since it was packed, so that the stream
 * fails instead of bringing a torn file.
 */
export async function* packFolder(folder: string, name: string): AsyncGenerator<Uint8Array> {
  const packed = new Map<string, Version>();
  const filter = (path: string, found: unknown): boolean => { // declared as Stats, and called with BigIntStats
    const entry = found as BigIntStats;
    if (path !== folder && !isPacked(folder, path, entry)) return false;
    if (entry.isFile()) packed.set(path, { size: entry.size, mtimeNs: entry.mtimeNs });
    return true;
  };
  yield* packTar([{ type: "directory", source: folder, target: name }], { filter }) as AsyncIterable<Uint8Array>;
  for (const [path, before] of packed) {
    const { size, mtimeNs } = await stat(path, { bigint: true });
    if (size !== before.size || mtimeNs !== before.mtimeNs) {
      throw new Error(`a file changed while it was sent: path is "${path}"`);
    }
  }
}

function isPacked(folder: string, path: string, found: BigIntStats): boolean {
  return found.isFile() || found.isDirectory() || (found.isSymbolicLink() && staysInside(folder, path));
}

function staysInside(folder: string, link: string): boolean {
  const target = readlinkSync(link);
  const inside = relative(folder, resolve(dirname(link), target));
  return !isAbsolute(target) && !isAbsolute(inside) && inside.split(/[\\/]/)[0] !== "..";
}

/**
 * Unpacks a tar that has been received, beside it, and removes the tar: "photos.tar" becomes the folder "photos", or "photos (2)".
 * The folder appears when it is whole. Resolves with its path. Rejects with a Failure "file-error" if it cannot be unpacked; the tar stays.
 */
export async function unpackFolder(tar: string, signal: AbortSignal): Promise<string> {
  const unpacking = `${tar}.unpacking`; // nobody else's: the tar's name is this process's own
  try {
    await mkdir(unpacking);
    await pipeline(createReadStream(tar), unpackTar(unpacking, { strip: 1 }), { signal });
    const folder = await moveToFreeName(unpacking, tar.replace(/\.tar$/i, "").replace(/\.tar( \(\d+\))$/i, "$1"));
    await rm(tar);
    return folder;
  } catch (cause) {
    await rm(unpacking, { recursive: true, force: true });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Failure("file-error", `Cannot unpack the folder as ${why}: it stays a tar: path is "${tar}"`, { cause });
  }
}

async function moveToFreeName(from: string, wanted: string): Promise<string> {
  for (let number = 1;; number++) {
    const path = number === 1 ? wanted : `${wanted} (${number})`;
    try {
      await mkdir(path); // claims the name; nothing that is there is replaced
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") continue;
      throw error;
    }
    await rmdir(path).then(() => rename(from, path)); // Windows renames over no folder, not even an empty one
    return path;
  }
}
