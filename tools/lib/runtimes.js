// The other two runtimes. Tests that are asked for a runtime which does not run them use the copies pinned in tools/runtimes.
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { install } from "./install.js";
import { executable, root, runtime } from "./runtime.js";

const folder = join(root, "tools", "runtimes");
const bin = join(folder, "bin");

/** No runtime is smaller, no stub larger. */
const STUB_BYTES = 1_000_000;

/** The path of a runtime's program; installed first if need be. Rejects when it cannot be had. */
export async function runtimeProgram(name) {
  if (name === runtime) return executable;
  if (name === "node") throw new Error("Cannot start Node from another runtime: use npm run");
  if (installed(name) === undefined) await install("runtimes");
  const program = installed(name);
  if (program === undefined) throw new Error(`Cannot find a runtime after its installation: name is "${name}"`);
  return program;
}

/** A folder with `bun` and `deno` in it, to be put on a PATH. */
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
 * The programs come as packages of their own, one for each platform. Bun's script, where npm lets it run, moves its program into the
 * package "bun" itself; until then what stands there is a stub that says so.
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
