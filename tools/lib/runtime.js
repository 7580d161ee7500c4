// The runtime of these tools, and commands that start programs on each runtime.
import { realpathSync } from "node:fs";
import process from "node:process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of the project. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Name of the running runtime: "node", "bun" or "deno". */
export const runtime = "Deno" in globalThis ? "deno" : process.versions.bun !== undefined ? "bun" : "node";

const versions = { node: process.versions.node, bun: process.versions.bun, deno: globalThis.Deno?.version.deno };

/** Title of the running runtime: "Bun 1.4.5". */
export const runtimeLabel = `${runtime[0].toUpperCase()}${runtime.slice(1)} ${versions[runtime]}`;

/** Path of the running runtime's program. */
export const executable = realpathSync(process.execPath);

/** Makes the command that runs a JavaScript file on a runtime; on Bun and Deno also a TypeScript file. */
export function commandFor(name, program = executable) {
  return name === "deno" ? [program, "run", "-A"] : [program];
}

/** Path from which a runtime runs a source file: Node runs the compiled file. */
export function runnable(name, source) {
  return name === "node" ? join(root, "dist", source.replace(/\.ts$/, ".js")) : join(root, source);
}

/** Path of TypeScript's compiler, a JavaScript program. */
export const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
