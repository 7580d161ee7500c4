// Packages of single tools and of examples, in folders of their own.
import { join } from "node:path";
import { mustRun } from "./processes.js";
import { root } from "./runtime.js";

/** Installs the packages of a folder's package.json, such as "tools/checks". */
export async function install(folder) {
  console.log(`Installing the packages of ${folder}`);
  // Not `npm ci`, which requires the builds for all platforms; a registry may lack some.
  const command = ["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
  await mustRun(command, { cwd: join(root, folder), seconds: 600 }, `install the packages of ${folder}`);
}
