// Pinned copies of Bun and Deno in tools/runtimes, for tests on other runtimes than the running one.
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { install } from "./install.js";
import { executable, root, runtime } from "./runtime.js";

const folder = join(root, "tools", "runtimes");
const bin = join(folder, "bin");

/** Size that no runtime is below and no stub above, in bytes. */
const STUB_BYTES = 1_000_000;

/** Finds the program of a runtime, and installs a missing one. Rejects if that fails. */
export async function runtimeProgram(name) {
  if (name === runtime) return executable;
  if (name === "node") throw new Error("Cannot start Node as it must be the running runtime: use npm run");
  if (installed(name) === undefined) await install("tools/runtimes");
  const program = installed(name);
  if (program === undefined) throw new Error(`Cannot find a runtime though its package is installed: name is "${name}"`);
  return program;
}

/** Makes a folder with `bun` and `deno` for a PATH. */
export async function runtimesFolder() {
  mkdirSync(bin, { recursive: true });
  for (const name of ["bun", "deno"]) {
    const program = await runtimeProgram(name);
    const link = join(bin, name);
    rmSync(link, { force: true });
    symlinkSync(program, link);
  }
  return bin;
}

/**
 * Finds an installed program. Each platform's program is a package. Bun's script, if npm runs it, moves the program into the package "bun",
 * which has a stub until then.
 */
function installed(name) {
  const packages = join(folder, "node_modules");
  const scope = join(packages, name === "bun" ? "@oven" : "@deno");
  const platforms = existsSync(scope) ? readdirSync(scope) : [];
  return [
    ...platforms.flatMap((platform) => [join(scope, platform, "bin", name), join(scope, platform, name)]),
    join(packages, "bun", "bin", "bun.exe"),
  ].find((path) => basename(path).startsWith(name) && existsSync(path) && statSync(path).size > STUB_BYTES);
}
