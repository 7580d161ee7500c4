// Packages of folders of their own below tools/: what some tools need, and users of the project do not.
import { join } from "node:path";
import { run } from "./processes.js";
import { root } from "./runtime.js";

/** Installs what tools/<name>/package.json lists. */
export async function install(name) {
  console.log(`Installing the packages of tools/${name}`);
  // Not `npm ci`: a release's builds for other platforms may be missing from a registry, and it insists on all of them.
  const command = ["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
  const { code, output } = await run(command, { cwd: join(root, "tools", name), seconds: 600 });
  if (code !== 0) throw new Error(`Cannot install the packages of tools/${name} as npm failed:\n${output}`);
}
