// Releases of Node newer than the project's own, as packages in tools/newer_nodes.
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { join } from "node:path";
import { mustRun } from "../processes.js";
import { root } from "../runtime.js";

const folder = join(root, "tools", "newer_nodes");

/** Versions by name: "long-term" and "newest". */
export const { config: versions } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** Installs a version by name. Resolves with the path of its program. */
export async function newerNode(name) {
  const version = versions[name];
  const program = join(folder, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
  const manifest = join(folder, "node_modules", name, "package.json");
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).version === version) return program;
  const platform = process.platform === "win32" ? "win" : process.platform;
  const all = Object.entries(versions).map(([alias, number]) => `${alias}@npm:node-${platform}-${process.arch}@${number}`);
  const command = ["npm", "install", "--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", ...all];
  await mustRun(command, { cwd: folder, seconds: 600 }, `install Node ${version}`);
  return program;
}
