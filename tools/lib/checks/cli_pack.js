// The npm package of the command: what npm would publish as @millrace/cli, made from dist/cli and cli/npm.
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildIfStale } from "../build.js";
import { run } from "../processes.js";
import { root } from "../runtime.js";

/** Builds and packs it into a folder. Resolves with the pack's path. */
export async function packCli(destination) {
  await buildIfStale();
  const folder = mkdtempSync(join(tmpdir(), "millrace-cli-"));
  try {
    stage(folder);
    const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const command = ["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", destination];
    const { code, output } = await run(command, { cwd: folder, seconds: 120 });
    if (code !== 0) throw new Error(`Cannot pack the command as npm failed:\n${output}`);
    return join(destination, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function stage(folder) {
  const isPacked = (path) => path.endsWith(".js") || statSync(path).isDirectory();
  cpSync(join(root, "dist", "cli"), join(folder, "dist"), { recursive: true, filter: isPacked });
  copyFileSync(join(root, "cli", "npm", "package.json"), join(folder, "package.json"));
  copyFileSync(join(root, "cli", "README.md"), join(folder, "README.md"));
  copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
}
