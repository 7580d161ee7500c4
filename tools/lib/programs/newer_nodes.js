// Releases of Node newer than the one the project is made with: packages of the registry, in tools/newer_nodes.
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { join } from "node:path";
import { run } from "../processes.js";
import { root } from "../runtime.js";

const folder = join(root, "tools", "newer_nodes");

/** Versions by name: "long-term" and "newest". */
export const { config: versions } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** Installs one of the versions, by name. Resolves with the path of its program. */
export async function newerNode(name) {
  const version = versions[name];
  const program = join(folder, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
  const made = join(folder, "node_modules", name, "package.json");
  if (existsSync(made) && JSON.parse(readFileSync(made, "utf8")).version === version) return program;
  const platform = process.platform === "win32" ? "win" : process.platform;
  const all = Object.entries(versions).map(([alias, number]) => `${alias}@npm:node-${platform}-${process.arch}@${number}`);
  const command = ["npm", "install", "--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", ...all];
  const { code, output } = await run(command, { cwd: folder, seconds: 600 });
  if (code !== 0) throw new Error(`Cannot install Node ${version} as npm failed:\n${output}`);
  return program;
}
