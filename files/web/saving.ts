import { StreamError } from "../../errors.ts";
import type { SaveTarget } from "../../protocol/files.ts";
import type { FileAccess, PartOfFile, PartOptions } from "../file_access.ts";

/** Creates a file to save to by `create_part_file.ts`, which is loaded with the first file: few pages save any. */
export async function createPartFile(target: SaveTarget, options: PartOptions): Promise<PartOfFile> {
  const create = await load();
  return await create(target, options);
}

async function load(): Promise<FileAccess["createPartFile"]> {
  try {
    return (await import("./create_part_file.ts")).createPartFile;
  } catch (cause) {
    throw new StreamError("file-error", "Cannot save the file as the page's server has not given the code for it", { cause });
  }
}
