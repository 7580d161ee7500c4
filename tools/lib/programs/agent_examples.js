// The recipes of examples/agents, a project of its own: compiled for Node, which takes no TypeScript. Bun and Deno run their sources.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildIfStale } from "../build.js";
import { withLock } from "../lock.js";
import { run } from "../processes.js";
import { commandFor, compiler, root, runtime } from "../runtime.js";

/** Time limit of a compilation, in seconds. */
const BUILD_SECONDS = 120;

const folder = join(root, "examples", "agents");
const made = join(folder, "dist");
const stampFile = join(made, ".stamp");

/** Compiles and type-checks the recipes, and the library that they import, unless both are up to date. Resolves with the folder to import. */
export async function buildAgentExamples() {
  await buildIfStale();
  await withLock("build-agents", BUILD_SECONDS, async () => {
    const wanted = stamp();
    if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === wanted) return;
    const { code, output } = await run([...commandFor(runtime), compiler, "-p", folder]);
    if (code !== 0) throw new Error(`Cannot build the recipes as the compiler found errors:\n${output}`);
    writeFileSync(stampFile, wanted);
  });
  return runtime === "node" ? made : folder;
}

function stamp() {
  const hash = createHash("sha256").update(readFileSync(join(root, "dist", ".stamp")));
  for (const name of readdirSync(folder).filter((name) => /\.(ts|json)$/.test(name)).sort()) {
    hash.update(name).update("\0").update(readFileSync(join(folder, name))).update("\0");
  }
  return hash.digest("hex");
}
