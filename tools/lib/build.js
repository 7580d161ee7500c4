// Compilation to dist/, which Node runs and npm packs. One process compiles after a source has changed; others wait for that.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";
import { dirname, join } from "node:path";
import { withLock } from "./lock.js";
import { run } from "./processes.js";
import { commandFor, compiler, root, runtime } from "./runtime.js";

const FOLDERS = [
  "common",
  "protocol",
  "workers",
  "transports",
  "actors",
  "diagnostics",
  "integrations",
  "files",
  "bench",
  "tests",
  "examples",
  "cli",
];
/** Paths of folders that are not read: projects of their own. */
const OTHERS = ["examples/agents"];
const LOCK_SECONDS = 120;
const dist = join(root, "dist");
const cache = join(root, ".cache");
const stampFile = join(dist, ".stamp");

/** Compiles the project into dist/ unless that is up to date. Resolves with whether it did; rejects with the compiler's output. */
export async function buildIfStale() {
  if (isFresh()) return false;
  return await withLock("build", LOCK_SECONDS, async () => {
    if (isFresh()) return false;
    await build();
    return true;
  });
}

/** Lists the source files of the project by relative path, sorted. */
export function sourceFiles() {
  const found = readdirSync(root).filter((name) => name.endsWith(".ts"));
  for (const folder of FOLDERS.filter((name) => existsSync(join(root, name)))) addSources(folder, found);
  return found.sort();
}

/** Adds the sources below a folder, without packages, of which there are tens of thousands of files. */
function addSources(folder, found) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory() && entry.name !== "node_modules" && !OTHERS.includes(path)) addSources(path, found);
    else if (entry.isFile() && /\.(ts|js)$/.test(path)) found.push(path);
  }
}

function isFresh() {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp();
}

function stamp() {
  const hash = createHash("sha256");
  for (const path of ["tsconfig.json", "package-lock.json", ...sourceFiles()]) {
    hash.update(path).update("\0").update(readFileSync(join(root, path))).update("\0");
  }
  return hash.digest("hex");
}

async function build() {
  const made = join(cache, `build-${process.pid}`);
  const newStamp = stamp(); // made before compiling, so that a source that changes during it leaves the output stale
  try {
    const tsc = [...commandFor(runtime), compiler, "-p", join(root, "tsconfig.json"), "--outDir", made];
    const { code, output } = await run(tsc);
    if (code !== 0) throw new Error(`Cannot build as the compiler found errors:\n${output}`);
    for (const file of filesIn(made)) if (file.endsWith(".d.ts")) nameCompiled(join(made, file));
    replace(made);
    writeFileSync(stampFile, newStamp);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** Changes "./x.ts" in declarations to "./x.js": the compiler leaves the former, by which only some tools find x.d.ts. */
function nameCompiled(path) {
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace(/((?:\bfrom|\bimport)\s*\(?\s*"\.{1,2}\/[^"]+)\.ts"/g, '$1.js"'));
}

/** Replaces dist/ file by file, by rename, so that running programs see each file complete. */
function replace(made) {
  rmSync(stampFile, { force: true });
  const files = filesIn(made);
  for (const file of files) {
    const target = join(dist, file);
    if (existsSync(target) && readFileSync(target).equals(readFileSync(join(made, file)))) continue;
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(made, file), target);
  }
  const kept = new Set(files);
  for (const file of filesIn(dist)) if (!kept.has(file)) rmSync(join(dist, file));
}

/** Lists the files below a folder by relative path. */
function filesIn(folder) {
  return readdirSync(folder, { recursive: true }).filter((path) => statSync(join(folder, path)).isFile());
}
