// Commands that start programs of this project on the runtime that runs this file.
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Command for a JavaScript file, or on Bun and Deno a TypeScript file. */
export function runtimeCommand(file: string, ...args: readonly string[]): [string, ...string[]] {
  return [process.execPath, ...("Deno" in globalThis ? ["run", "-A"] : []), file, ...args];
}

/** Path of a program of this project, compiled if this file is. `source` is its path in the project, without an extension. */
export function programFile(source: string): string {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`../../${source}.${extension}`, import.meta.url));
}

/** Command for a program of this project. */
export function programCommand(source: string, ...args: readonly string[]): [string, ...string[]] {
  return runtimeCommand(programFile(source), ...args);
}
