// node tools/test.js [--runtime=node|bun|deno|all] [part of a file's name ...]
// Runs each tests/**/*.test.ts as a process of its own, two at a time, and sums what uvu counted. Without --runtime: on the runtime that
// runs this. A file's output is shown only if something in it failed. Files that need a program which this machine lacks (see
// lib/programs/needs.js) are left out, and named at the end; where CI is set they have failed.
import { readdirSync } from "node:fs";
import process from "node:process";
import { join } from "node:path";
import { buildIfStale } from "./lib/build.js";
import { needsOf, provide } from "./lib/programs/needs.js";
import { run } from "./lib/processes.js";
import { HOW_TO_GET } from "./lib/programs/programs.js";
import { commandFor, root, runnable, runtime, runtimeLabel } from "./lib/runtime.js";
import { runtimeProgram } from "./lib/runtimes.js";

const AT_ONCE = 2;
const FILE_SECONDS = 240;
/** What a process may take to end after its last test. */
const LINGER_SECONDS = 5;

const asked = process.argv.slice(2);
const filters = asked.filter((word) => !word.startsWith("--"));
const on = asked.find((word) => word.startsWith("--runtime="))?.slice("--runtime=".length) ?? runtime;

const isCI = !["", "0", "false"].includes(process.env.CI ?? "");

const sums = { passed: 0, failed: 0 };
/** The files left out, each with what it lacks. */
const leftOut = new Map();
/** What `provide` has found for the files that are to run: looked for once, whatever the number of runtimes. */
let provided;
for (const name of on === "all" ? ["node", "bun", "deno"] : [on]) {
  try {
    await testOn(name);
  } catch (error) {
    console.error(error.message);
    sums.failed++;
  }
}
tellLeftOut();
console.log(`${sums.passed} passed, ${sums.failed} failed`);
process.exitCode = sums.failed === 0 && sums.passed > 0 ? 0 : 1;

async function testOn(name) {
  const program = await runtimeProgram(name);
  console.log(name === runtime ? `Tests on ${runtimeLabel}` : `Tests on ${name} (${program})`);
  if (name === "node") await buildIfStale();
  const files = testFiles();
  if (files.length === 0) throw new Error(`Cannot find a test file: filter is "${filters.join(" ")}"`);
  provided ??= await provide([...new Set(files.flatMap(needsOf))], console.log);
  const waiting = files.filter((file) => isPossible(file));
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await testFile(name, program, file);
  }));
}

function testFiles() {
  const all = readdirSync(join(root, "tests"), { recursive: true }).filter((path) => path.endsWith(".test.ts"));
  return all.map((path) => `tests/${path.replaceAll("\\", "/")}`).sort()
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)));
}

/** Whether what a file needs is there. Where it must be, its lack is a failure of the file. */
function isPossible(file) {
  const lacking = needsOf(file).filter((need) => provided.missing.has(need));
  if (lacking.length === 0) return true;
  leftOut.set(file, lacking);
  if (isCI) {
    sums.failed++;
    console.log(`FAILED ${file}: not run, as it lacks ${lacking.join(", ")}`);
  }
  return false;
}

function tellLeftOut() {
  if (leftOut.size === 0) return;
  console.log(`\nNot run, for lack of what they need. Get it by ${HOW_TO_GET}:`);
  for (const [file, lacking] of leftOut) console.log(`  ${file}: ${lacking.join(", ")}`);
  for (const [name, why] of provided.missing) console.log(`  ${name}: ${why.replaceAll("\n", "\n    ")}`);
  console.log("");
}

async function testFile(name, program, file) {
  const started = performance.now();
  let lingering;
  let leaked = false;
  const { code, output, late } = await run([...commandFor(name, program), runnable(name, file)], {
    seconds: FILE_SECONDS,
    env: { NO_COLOR: "1", ...(needsOf(file).length > 0 ? provided.env : {}) },
    onOutput: (text, kill) => {
      if (lingering !== undefined || summary(text) === undefined) return;
      lingering = setTimeout(() => {
        leaked = true;
        kill();
      }, LINGER_SECONDS * 1000);
    },
  });
  clearTimeout(lingering);
  const result = judge(code, summary(output), leaked, late);
  sums.passed += result.passed;
  sums.failed += result.failed;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${result.failed === 0 ? "ok    " : "FAILED"} ${file}: ${result.passed} passed, ${result.failed} failed, ${seconds} s`,
  );
  if (result.failed === 0) return;
  console.log(output.replace(/^/gm, "    "));
  if (result.why !== undefined) console.log(`    ${file} ${result.why}`);
}

/** A file is good if uvu's count is whole, nothing was skipped, and the process ended well and by itself. */
function judge(code, counts, leaked, late) {
  const passed = counts?.passed ?? 0;
  const failed = counts === undefined ? 0 : counts.total - counts.passed + counts.skipped; // uvu leaves skipped ones out of the total
  let why;
  if (leaked) why = "did not end by itself: something keeps its event loop alive";
  else if (late) why = `took longer than ${FILE_SECONDS} s`;
  else if (counts === undefined) why = `ended without a summary, with code ${code}: a promise that never settles, or a crash`;
  else if (counts.total === 0) why = "holds no test";
  else if (failed === 0 && code !== 0) why = `ended with code ${code}`;
  else if (counts.skipped > 0) why = `skipped ${counts.skipped}: a skipped test counts as failed`;
  return { passed, failed: failed > 0 || why === undefined ? failed : 1, why };
}

/** uvu's last lines, once they are whole. */
function summary(output) {
  const found = /Total:\s+(\d+)[^]*?Passed:\s+(\d+)[^]*?Skipped:\s+(\d+)[^]*?Duration:[^\n]*\n/.exec(output);
  return found === null ? undefined : { total: Number(found[1]), passed: Number(found[2]), skipped: Number(found[3]) };
}
