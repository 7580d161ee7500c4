// The compiled output that Node runs and npm packs. It is made when a source has changed, by whoever comes first: others wait.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";
import { dirname, join } from "node:path";
import { withLock } from "./lock.js";
import { run } from "./processes.js";
import { commandFor, compiler, root, runtime } from "./runtime.js";

const FOLDERS = ["protocol", "workers", "transports", "actors", "files", "bench", "tests", "examples", "cli"];
const LOCK_SECONDS = 120;
const dist = join(root, "dist");
const cache = join(root, ".cache");
const stampFile = join(dist, ".stamp");

/** Compiles the project into dist/ unless that is up to date. True if it had to. Rejects with the compiler's words. */
export async function buildIfStale() {
  if (isFresh()) return false;
  return await withLock("build", LOCK_SECONDS, async () => {
    if (isFresh()) return false;
    await build();
    return true;
  });
}

/** The TypeScript files of the project, relative to its folder, sorted. */
export function sourceFiles() {
  const found = readdirSync(root).filter((name) => name.endsWith(".ts"));
  for (const folder of FOLDERS.filter((name) => existsSync(join(root, name)))) {
    for (const path of readdirSync(join(root, folder), { recursive: true })) {
      if (/\.(ts|js)$/.test(path)) found.push(`${folder}/${path.replaceAll("\\", "/")}`);
    }
  }
  return found.sort();
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
  const newStamp = stamp(); // taken before: a source that changes meanwhile leaves the output stale
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

/** The compiler leaves "./x.ts" in declarations, where only some tools find x.d.ts by it. */
function nameCompiled(path) {
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace(/((?:\bfrom|\bimport)\s*\(?\s*"\.{1,2}\/[^"]+)\.ts"/g, '$1.js"'));
}

/** File by file and by rename: a program that runs from dist/ meanwhile never misses a file, nor sees half of one. */
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

/** The files of a folder and those below it, relative to it. */
function filesIn(folder) {
  return readdirSync(folder, { recursive: true }).filter((path) => statSync(join(folder, path)).isFile());
}
