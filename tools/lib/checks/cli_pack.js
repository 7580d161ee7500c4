// Pack of the command for npm, as @millrace/cli, made from dist/cli and cli/npm.
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildIfStale } from "../build.js";
import { mustRun } from "../processes.js";
import { root } from "../runtime.js";

/** Builds the project and packs the command into a folder. Resolves with the pack's path. */
export async function packCli(destination) {
  await buildIfStale();
  const folder = mkdtempSync(join(tmpdir(), "millrace-cli-"));
  try {
    stage(folder);
    const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const command = ["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", destination];
    await mustRun(command, { cwd: folder, seconds: 120 }, "pack the command");
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
