// Creation of part files. A part file is a ".part" beside its final path. It gets that path when it is whole, or is removed.
import { basename, dirname, join } from "node:path";
import { StreamError } from "../errors.ts";
import { removeAbandonedParts } from "./abandoned_parts.ts";
import { nodeFileSystem } from "./file_system.ts";
import { makeFolder, removeFolders } from "./folders.ts";
import { nameOfType } from "./mime.ts";
import { ownerTag } from "./owner.ts";
import { PartFile } from "./part_file.ts";
import { codeOf, fileError, givenPath, reasonOf, refusal } from "./paths.ts";
import { ifMissing } from "./placing.ts";
import { cut, safeName } from "./safe_name.ts";
import type { SaveTarget } from "../protocol/files.ts";
import type { PartOptions } from "./file_access.ts";
import type { FileSystem } from "./file_system.ts";

export type { PartFile };

/** Options of {@linkcode createPartFile}. */
export interface PartFileOptions extends PartOptions {
  /** Longest name of a file in a folder, in bytes; at most 255, the limit of file systems. */
  readonly nameBytes: number;
  /**
   * True if the bytes are flushed to disk before the file gets its name; default true. Otherwise a power cut can leave an empty file under
   * its final name. 100 MB take some 50 ms on a fast disk, without blocking the event loop.
   */
  readonly sync?: boolean;
  /** Makes the unguessable part of the name. Default: the process and a UUID, with 122 random bits. */
  readonly random?: () => string;
  /** File system. Default: Node's. */
  readonly files?: FileSystem;
}

/** Longest name of file systems, in bytes. */
const FILE_NAME_BYTES = 255;

/** Attempts to create a part whose name is taken, or whose folder was removed. */
const ATTEMPTS = 3;

/** Longest prefix of the final name in a part's name, in bytes: with the random part it stays below the limit of file systems. */
const PREFIX_BYTES = 100;

/**
 * Creates an empty part file in the folder of its final path, under an unguessable name.
 *
 * A target that is a folder gets the file under the sender's name. So does one that ends in a slash, whose folder is made. Any other target
 * is the file's path, in an existing folder.
 *
 * Rejects with a StreamError, and leaves nothing behind: "file-exists" if the path is taken and `overwrite` is false, "unsafe-name" for an
 * unusable sender's name, "invalid-argument" for an invalid path. Otherwise "file-error" with `cause`.
 */
export async function createPartFile(target: SaveTarget, options: PartFileOptions): Promise<PartFile> {
  const given = givenPath(target, "Cannot save the file");
  return await create(given.path, given.folder, options);
}

async function create(target: string, asFolder: boolean, options: PartFileOptions): Promise<PartFile> {
  const files = options.files ?? nodeFileSystem;
  // A path that cannot be followed is free, or a symbolic link to nowhere or in circles: the next call will fail or succeed.
  const entry = await files.stat(target).catch(() => undefined);
  if (asFolder && entry !== undefined && entry.kind !== "folder") {
    throw fileError("Cannot save into the folder as its path must be a folder's", target, refusal("ENOTDIR", "not a directory"));
  }
  if (!asFolder && entry?.kind !== "folder") {
    await checkTarget(files, target, options.overwrite);
    return createAt(files, target, undefined, options);
  }
  const { name, mimeType = "" } = options;
  const nameBytes = Math.min(options.nameBytes, FILE_NAME_BYTES);
  const safe = safeName(name === "" ? nameOfType(mimeType) : name, nameBytes);
  return createAt(files, join(target, safe), asFolder ? "make" : "use", { ...options, nameBytes });
}

async function createAt(
  files: FileSystem,
  finalPath: string,
  folderMode: "make" | "use" | undefined,
  options: PartFileOptions,
): Promise<PartFile> {
  const folder = dirname(finalPath);
  const prefix = cut(basename(finalPath), PREFIX_BYTES);
  for (let attempt = 1;; attempt++) {
    const createdFolder = folderMode === "make" ? await makeFolder(files, folder) : undefined;
    await removeAbandonedParts(files, folder);
    const path = join(folder, `${prefix}.${(options.random ?? ownedRandom)()}.part`);
    try {
      const { device, inode } = await files.create(path);
      return new PartFile({
        files,
        ref: { path, device, inode },
        finalPath,
        createdFolder,
        sync: options.sync ?? true,
        place: options.overwrite ? "over" : folderMode === undefined ? "new" : "numbered",
        nameBytes: options.nameBytes,
      });
    } catch (cause) {
      await removeFolders(files, folder, createdFolder);
      const code = codeOf(cause);
      const retry = code === "EEXIST" || (code === "ENOENT" && folderMode === "make");
      if (retry && attempt < ATTEMPTS) continue;
      const reason = code === "ENOENT" ? "its folder must exist" : reasonOf(cause);
      throw fileError(`Cannot save the file as ${reason}`, finalPath, cause);
    }
  }
}

/** Refuses a target at once that the commit would refuse. */
async function checkTarget(files: FileSystem, path: string, overwrite: boolean): Promise<void> {
  const entry = await files.lstat(path).catch(ifMissing).catch((cause: unknown) => {
    throw fileError(`Cannot save the file as ${reasonOf(cause)}`, path, cause);
  });
  if (entry === undefined) return;
  if (!overwrite) {
    throw new StreamError("file-exists", `Cannot save the file as its path must be free: path is ${JSON.stringify(path)}`);
  }
  if (entry.kind === "other") {
    throw fileError("Cannot save the file as its path must be a regular file's", path, refusal("EEXIST", "not a regular file"));
  }
}

/** Makes an unguessable name that shows its owner. */
function ownedRandom(): string {
  const owner = ownerTag();
  return owner === undefined ? crypto.randomUUID() : `${owner}.${crypto.randomUUID()}`;
}
