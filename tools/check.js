// node tools/check.js [name ...]: runs all checks other than tests, or the named ones; see lib/checks/checks.js.
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { join } from "node:path";
import { sourceFiles } from "./lib/build.js";
import { CHECKS } from "./lib/checks/checks.js";
import { install } from "./lib/install.js";
import { run } from "./lib/processes.js";
import { commandFor, compiler, root, runtime } from "./lib/runtime.js";
import { runtimeProgram } from "./lib/runtimes.js";

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in CHECKS));
const folder = mkdtempSync(join(tmpdir(), "millrace-check-"));
const packages = join(root, "tools", "checks", "node_modules");
/** Path of oxlint's type-aware half, which oxlint would look for in the checked folder. */
const env = { NO_COLOR: "1", OXLINT_TSGOLINT_PATH: join(packages, "oxlint-tsgolint", "bin", "tsgolint.js") };
let passed = 0;
let failed = 0;

try {
  if (unknown.length > 0) {
    throw new Error(
      `Cannot check: expected ${Object.keys(CHECKS).join(", ")}, got "${unknown[0]}"`,
    );
  }
  for (const name of names.length > 0 ? names : Object.keys(CHECKS)) {
    for (const command of CHECKS[name]) await check(name, command);
  }
} catch (error) {
  console.error(error.message);
  failed++;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function check(name, template) {
  const started = performance.now();
  const { code, output } = await attempt(template);
  if (code === 0) passed++;
  else failed++;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name}: ${template.join(" ")}, ${seconds} s`);
  if (code !== 0) console.log(output.replace(/^/gm, "    "));
}

/** Runs a command; one that cannot be started counts as failed. */
async function attempt(template) {
  try {
    return await run(await commandOf(template), { seconds: 300, env });
  } catch (error) {
    return { code: 1, output: error.message };
  }
}

async function commandOf(template) {
  const command = [];
  for (const word of template) {
    if (word === "{run}") command.push(...commandFor(runtime));
    else if (word === "{deno}" || word === "{bun}") command.push(await runtimeProgram(word.slice(1, -1)));
    else if (word === "{tsc}") command.push(compiler);
    else if (word === "{sources}") command.push(...sourceFiles());
    else if (word === "{pack}") command.push(await pack());
    else if (word.startsWith("{checks}/")) command.push(await packageFile(word.slice("{checks}/".length)));
    else command.push(word);
  }
  return command;
}

async function packageFile(path) {
  const file = join(packages, path);
  if (!existsSync(file)) await install("tools/checks");
  if (!existsSync(file)) throw new Error(`Cannot find a check's program though its package is installed: file is "${file}"`);
  return file;
}

async function pack() {
  const made = () => readdirSync(folder).find((name) => name.endsWith(".tgz"));
  if (made() === undefined) {
    const { output } = await run(["npm", "pack", "--silent", "--pack-destination", folder]);
    if (made() === undefined) throw new Error(`Cannot pack the project:\n${output}`);
  }
  return join(folder, made());
}
