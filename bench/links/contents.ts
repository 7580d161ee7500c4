// Contents to send: files of incompressible bytes, of JSON lines, and of a tree of real files.
import { open, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../support/programs.ts";
import { jsonLines, randomFile } from "../samples.ts";

export const CONTENTS = ["random", "json", "mixed"] as const;
export type ContentsName = (typeof CONTENTS)[number];

export interface Contents {
  readonly name: ContentsName;
  readonly path: string;
  readonly bytes: number;
}

const RANDOM_BYTES = 8e6;
const FILE_BYTES = 32e6;
const SEED = 5;

/** Bytes taken of one file at most: the SDK's native part, half the tree, would be most of the contents otherwise. */
const MOST_OF_FILE = 1e6;

/** Makes the file in the folder; `divisor` makes it smaller. */
export async function makeContents(name: ContentsName, folder: string, divisor: number): Promise<Contents> {
  const path = join(folder, name);
  if (name === "random") await randomFile(path, RANDOM_BYTES / divisor);
  else if (name === "json") await writeFile(path, jsonLines(FILE_BYTES / divisor, SEED));
  else await treeFile(path, FILE_BYTES / divisor);
  return { name, path, bytes: (await stat(path)).size };
}

/** The files of the project's node_modules one after the other, in the order of their names. */
async function treeFile(path: string, bytes: number): Promise<void> {
  const file = await open(path, "w");
  try {
    let left = bytes;
    for await (const each of filesOf(join(projectRoot(), "node_modules"))) {
      if (left === 0) break;
      const part = (await readFile(each)).subarray(0, Math.min(left, MOST_OF_FILE));
      await file.write(part);
      left -= part.length;
    }
  } finally {
    await file.close();
  }
}

async function* filesOf(folder: string): AsyncGenerator<string, void, undefined> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesOf(path);
    else if (entry.isFile()) yield path;
  }
}
