// Which runtime these tools run on, and how to start a program on each.
import { realpathSync } from "node:fs";
import process from "node:process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** "node", "bun" or "deno": what runs this. */
export const runtime = "Deno" in globalThis ? "deno" : process.versions.bun !== undefined ? "bun" : "node";

const versions = { node: process.versions.node, bun: process.versions.bun, deno: globalThis.Deno?.version.deno };

/** As people write it: "Bun 1.4.5". */
export const runtimeLabel = `${runtime[0].toUpperCase()}${runtime.slice(1)} ${versions[runtime]}`;

/** The path of the running runtime's program. */
export const executable = realpathSync(process.execPath);

/** The command that runs a JavaScript file (TypeScript too, but for Node) on a runtime. */
export function commandFor(name, program = executable) {
  return name === "deno" ? [program, "run", "-A"] : [program];
}

/** Where a source file is run from: Node runs what was compiled, the others the source. */
export function runnable(name, source) {
  return name === "node" ? join(root, "dist", source.replace(/\.ts$/, ".js")) : join(root, source);
}

/** The compiler: TypeScript's own program, run as any JavaScript is. */
export const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
