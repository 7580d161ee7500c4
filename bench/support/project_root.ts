// The project's folder, for programs that may run compiled, from within dist/.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of deno.json. */
export function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "deno.json"))) {
    if (dirname(folder) === folder) throw new Error("Cannot find the project's folder, as no deno.json is above this file");
    folder = dirname(folder);
  }
  return folder;
}
