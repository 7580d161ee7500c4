// Packages of single tools, in folders of their own below tools/.
import { join } from "node:path";
import { mustRun } from "./processes.js";
import { root } from "./runtime.js";

/** Installs the packages of tools/<name>/package.json. */
export async function install(name) {
  console.log(`Installing the packages of tools/${name}`);
  // Not `npm ci`, which requires the builds for all platforms; a registry may lack some.
  const command = ["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
  await mustRun(command, { cwd: join(root, "tools", name), seconds: 600 }, `install the packages of tools/${name}`);
}
