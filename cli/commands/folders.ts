// Folders as tar streams, by modern-tar, which keeps every entry, link and path inside the target folder.
import { type BigIntStats, createReadStream, readlinkSync } from "node:fs";
import { lstat, mkdir, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { packTar, unpackTar } from "modern-tar/fs";
import { codeOf, Failure } from "../failure.ts";

/** Attribute of a stream that is a folder; the value is the estimated size of the tar, in bytes. */
export const FOLDER_ATTRIBUTE = "millrace.folder";

/** MIME type of a tar. */
export const TAR_TYPE = "application/x-tar";

/** Block size of a tar, in bytes. Headers and files are padded to blocks, and two blocks end the tar. */
const BLOCK = 512;

/** Version of a file that was packed. */
type Version = Pick<BigIntStats, "size" | "mtimeNs">;

/** Contents of a folder. */
export interface FolderContents {
  /** Estimated size of the tar, in bytes; long names and later changes are not counted. */
  readonly bytes: number;
  /** Paths that are left out: links out of the folder, and entries other than files, folders and links. */
  readonly leftOut: readonly string[];
}

/** Measures a folder. Rejects with the file system's error. */
export async function measureFolder(folder: string): Promise<FolderContents> {
  const leftOut: string[] = [];
  let bytes = BLOCK + 2 * BLOCK; // the folder's header, and the end
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
 * Packs a folder as a tar whose paths begin with `name`. Throws at the end if a file has changed since it was packed, so that the stream
 * fails.
 */
export async function* packFolder(folder: string, name: string): AsyncGenerator<Uint8Array> {
  const packed = new Map<string, Version>();
  const filter = (path: string, found: unknown): boolean => { // the declared type is Stats, the value is BigIntStats
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
 * Unpacks a received tar beside it, and removes the tar: "photos.tar" becomes the folder "photos", or "photos (2)". The folder appears when it
 * is whole. Resolves with the folder's path. Rejects with Failure "file-error" if unpacking fails; the tar stays.
 */
export async function unpackFolder(tar: string, signal: AbortSignal): Promise<string> {
  const unpacking = `${tar}.unpacking`; // unique, as this process has the tar's name
  try {
    await mkdir(unpacking);
    await pipeline(createReadStream(tar), unpackTar(unpacking, { strip: 1 }), { signal });
    const folder = await moveToFreeName(unpacking, tar.replace(/\.tar$/i, "").replace(/\.tar( \(\d+\))$/i, "$1"));
    await rm(tar);
    return folder;
  } catch (cause) {
    await rm(unpacking, { recursive: true, force: true });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Failure("file-error", `Cannot unpack the folder as ${reason}: it stays a tar: path is "${tar}"`, { cause });
  }
}

async function moveToFreeName(from: string, wanted: string): Promise<string> {
  for (let number = 1;; number++) {
    const path = number === 1 ? wanted : `${wanted} (${number})`;
    try {
      await mkdir(path); // reserves the name; an existing entry is not replaced
    } catch (error) {
      if (codeOf(error) === "EEXIST") continue;
      throw error;
    }
    await rmdir(path).then(() => rename(from, path)); // Windows cannot rename over a folder, even an empty one
    return path;
  }
}
