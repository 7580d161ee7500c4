// A file under way: a ".part" beside the place it is meant for, which takes that place when it is whole, or goes.
import { basename, dirname, join } from "node:path";
import { StreamError } from "../errors.ts";
import { removeAbandonedParts } from "./abandoned_parts.ts";
import { nodeFileSystem } from "./file_system.ts";
import { makeFolder, removeFolders } from "./folders.ts";
import { nameOfType } from "./mime.ts";
import { ownerTag } from "./owner.ts";
import { Part } from "./part_file.ts";
import { codeOf, fileError, givenPath, reasonOf, refusal } from "./paths.ts";
import { ifMissing } from "./placing.ts";
import { cut, safeName } from "./safe_name.ts";
import type { FileSystem } from "./file_system.ts";
import type { PartFile } from "./part_file.ts";

export type { PartFile };

/** Options of {@linkcode createPartFile}. */
export interface PartFileOptions {
  /** The sender's name for the file, as it came: used in a folder, made safe. */
  readonly name: string;
  /** The sender's MIME type: a file without a name gets "file" and the type's extension in a folder. */
  readonly mimeType?: string;
  /** Whether a file that stands there may be replaced; in a folder the one of the sender's name, made safe. */
  readonly overwrite: boolean;
  /** Longest name a file gets in a folder, in bytes; no file system takes more than 255. */
  readonly nameBytes: number;
  /**
   * Whether the bytes are on the disk before they get their name; default true. Without it, a file can be empty under its final name
   * after a power cut. 100 MB cost some 50 ms on a quick disk, and no event loop waits for it.
   */
  readonly sync?: boolean;
  /** Makes the part's name unguessable; default the process and a UUID, 122 random bits. */
  readonly random?: () => string;
  /** The file system; default the real one. */
  readonly files?: FileSystem;
}

/** Longest name that file systems hold, in bytes. */
const FILE_NAME_BYTES = 255;

/** How often a part is tried to be made when something comes between: its name is taken, its folder was somebody else's and went. */
const ATTEMPTS = 3;

/** Longest part of the final name that a part's name shows, in bytes. With the random part it stays below any file system's limit. */
const SHOWN_BYTES = 100;

/**
 * Begins a file: makes an empty part in the folder of its final name, one that nobody can have prepared or can guess.
 *
 * A target that is a folder, or ends in a slash (then it is made), takes the file under the sender's name; any other target is the file's
 * own path, in a folder that exists. Rejects with a StreamError: "file-exists" if something has that path and `overwrite` is not set,
 * "unsafe-name" if nothing of the sender's name can be used, "invalid-argument" for what is no path, else "file-error" with `cause`.
 * Nothing is left behind then.
 */
export async function createPartFile(target: string | URL, options: PartFileOptions): Promise<PartFile> {
  const given = givenPath(target, "Cannot save the file");
  return await begin(given.path, given.folder, options);
}

async function begin(target: string, asFolder: boolean, options: PartFileOptions): Promise<Part> {
  const files = options.files ?? nodeFileSystem;
  // A path that leads nowhere, or in circles, is free or a symbolic link: what is done with it next tells.
  const there = await files.follow(target).catch(() => undefined);
  if (asFolder && there !== undefined && there.kind !== "folder") {
    throw fileError("Cannot save into the folder as a file has its path", target, refusal("ENOTDIR", "not a directory"));
  }
  if (!asFolder && there?.kind !== "folder") {
    await checkPlace(files, target, options.overwrite);
    return beginAt(files, target, undefined, options);
  }
  const { name, mimeType = "" } = options;
  const nameBytes = Math.min(options.nameBytes, FILE_NAME_BYTES);
  const safe = safeName(name === "" ? nameOfType(mimeType) : name, nameBytes);
  return beginAt(files, join(target, safe), asFolder ? "make" : "use", { ...options, nameBytes });
}

async function beginAt(
  files: FileSystem,
  finalPath: string,
  folderMode: "make" | "use" | undefined,
  options: PartFileOptions,
): Promise<Part> {
  const folder = dirname(finalPath);
  const shown = cut(basename(finalPath), SHOWN_BYTES);
  for (let attempt = 1;; attempt++) {
    const made = folderMode === "make" ? await makeFolder(files, folder) : undefined;
    await removeAbandonedParts(files, folder);
    const path = join(folder, `${shown}.${(options.random ?? ownedRandom)()}.part`);
    try {
      const { device, inode } = await files.create(path);
      return new Part({
        files,
        ref: { path, device, inode },
        finalPath,
        made,
        sync: options.sync ?? true,
        place: options.overwrite ? "over" : folderMode === undefined ? "new" : "numbered",
        nameBytes: options.nameBytes,
      });
    } catch (cause) {
      await removeFolders(files, folder, made);
      const code = codeOf(cause);
      const again = code === "EEXIST" || (code === "ENOENT" && folderMode === "make");
      if (again && attempt < ATTEMPTS) continue;
      const reason = code === "ENOENT" ? "its folder does not exist" : reasonOf(cause);
      throw fileError(`Cannot save the file as ${reason}`, finalPath, cause);
    }
  }
}

/** Refuses at once what would be refused at the end. */
async function checkPlace(files: FileSystem, path: string, overwrite: boolean): Promise<void> {
  const there = await files.look(path).catch(ifMissing).catch((cause: unknown) => {
    throw fileError(`Cannot save the file as ${reasonOf(cause)}`, path, cause);
  });
  if (there === undefined) return;
  if (!overwrite) throw new StreamError("file-exists", `Cannot save the file as it exists: path is ${JSON.stringify(path)}`);
  if (there.kind === "other") {
    throw fileError("Cannot save the file as a device or a pipe has its path", path, refusal("EEXIST", "not a regular file"));
  }
}

/** Unguessable, and telling whose it is. */
function ownedRandom(): string {
  const owner = ownerTag();
  return owner === undefined ? crypto.randomUUID() : `${owner}.${crypto.randomUUID()}`;
}
