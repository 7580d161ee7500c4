// node tools/test.js [--runtime=node|bun|deno|all] [part of a file's name ...].
// Runs each tests/**/*.test.ts as its own process, two at a time, and adds up uvu's counts. Default runtime: the one that runs this. Tests of
// pages run on Node only. Shows the output of failed files only. Files that need a missing program (see lib/programs/needs.js) are skipped and
// listed at the end; with CI set they fail.
import { readdirSync } from "node:fs";
import process from "node:process";
import { join } from "node:path";
import { buildIfStale } from "./lib/build.js";
import { needsOf, provide } from "./lib/programs/needs.js";
import { run } from "./lib/processes.js";
import { HOW_TO_GET } from "./lib/programs/programs.js";
import { commandFor, root, runnable, runtime, runtimeLabel } from "./lib/runtime.js";
import { runtimeProgram } from "./lib/runtimes.js";

/** Tests of pages: the page is the same, whatever runtime drives the browser. And of agents, which run on Node alone. */
const ON_NODE = ["tests/browser/", "tests/livekit/pages/", "tests/livekit/programs/bench_browser", "tests/livekit/agents/"];
/** Number of concurrent files. */
const CONCURRENCY = 2;
/** Time limit of a file, in seconds. */
const FILE_SECONDS = 240;
/** Time for a process to end after its last test, in seconds. */
const EXIT_SECONDS = 5;

const args = process.argv.slice(2);
const filters = args.filter((word) => !word.startsWith("--"));
const on = args.find((word) => word.startsWith("--runtime="))?.slice("--runtime=".length) ?? runtime;

const isCI = !["", "0", "false"].includes(process.env.CI ?? "");

const sums = { passed: 0, failed: 0 };
/** Skipped files, each with the programs that are missing. */
const skipped = new Map();
/** Programs found by `provide`, once for all runtimes. */
let provided;
for (const name of on === "all" ? ["node", "bun", "deno"] : [on]) {
  try {
    await testOn(name);
  } catch (error) {
    console.error(error.message);
    sums.failed++;
  }
}
printSkipped();
console.log(`${sums.passed} passed, ${sums.failed} failed`);
process.exitCode = sums.failed === 0 && sums.passed > 0 ? 0 : 1;

async function testOn(name) {
  const program = await runtimeProgram(name);
  console.log(name === runtime ? `Tests on ${runtimeLabel}` : `Tests on ${name} (${program})`);
  if (name === "node") await buildIfStale();
  const files = testFiles(name);
  if (files.length === 0) {
    throw new Error(`Cannot find a test file: expected a filter that names one, got "${filters.join(" ")}"`);
  }
  provided ??= await provide([...new Set(files.flatMap(needsOf))], console.log);
  const waiting = files.filter((file) => isPossible(file));
  await Promise.all(Array.from({ length: CONCURRENCY }, async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await testFile(name, program, file);
  }));
}

/** Files to run on a runtime. */
function testFiles(name) {
  const all = readdirSync(join(root, "tests"), { recursive: true }).filter((path) => path.endsWith(".test.ts"));
  return all.map((path) => `tests/${path.replaceAll("\\", "/")}`).sort()
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
    .filter((path) => name === "node" || !ON_NODE.some((start) => path.startsWith(start)));
}

/** Whether all programs of a file were found; if not, the file is skipped, and in CI fails. */
function isPossible(file) {
  const missing = needsOf(file).filter((need) => provided.missing.has(need));
  if (missing.length === 0) return true;
  skipped.set(file, missing);
  if (isCI) {
    sums.failed++;
    console.log(`FAILED ${file}: not run, as it lacks ${missing.join(", ")}`);
  }
  return false;
}

function printSkipped() {
  if (skipped.size === 0) return;
  console.log(`\nNot run, for lack of what they need. Get it by ${HOW_TO_GET}:`);
  for (const [file, missing] of skipped) console.log(`  ${file}: ${missing.join(", ")}`);
  for (const [name, reason] of provided.missing) console.log(`  ${name}: ${reason.replaceAll("\n", "\n    ")}`);
  console.log("");
}

async function testFile(name, program, file) {
  const started = performance.now();
  let exitTimer;
  let leaked = false;
  const { code, output, late } = await run([...commandFor(name, program), runnable(name, file)], {
    seconds: FILE_SECONDS,
    env: { NO_COLOR: "1", ...(needsOf(file).length > 0 ? provided.env : {}) },
    onOutput: (text, kill) => {
      if (exitTimer !== undefined || summary(text) === undefined) return;
      exitTimer = setTimeout(() => {
        leaked = true;
        kill();
      }, EXIT_SECONDS * 1000);
    },
  });
  clearTimeout(exitTimer);
  const result = judge(code, summary(output), leaked, late);
  sums.passed += result.passed;
  sums.failed += result.failed;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${result.failed === 0 ? "ok    " : "FAILED"} ${file}: ${result.passed} passed, ${result.failed} failed, ${seconds} s`,
  );
  if (result.failed === 0) return;
  console.log(output.replace(/^/gm, "    "));
  if (result.reason !== undefined) console.log(`    ${file} ${result.reason}`);
}

/** Judges a file: uvu must print its counts, no test may be skipped, and the process must end by itself with code 0. */
function judge(code, counts, leaked, late) {
  const passed = counts?.passed ?? 0;
  const failed = counts === undefined ? 0 : counts.total - counts.passed + counts.skipped; // uvu does not count skipped tests in the total
  let reason;
  if (leaked) reason = "did not end by itself: something keeps its event loop alive";
  else if (late) reason = `took longer than ${FILE_SECONDS} s`;
  else if (counts === undefined) reason = `ended without a summary, with code ${code}: a promise that never settles, or a crash`;
  else if (counts.total === 0) reason = "holds no test";
  else if (failed === 0 && code !== 0) reason = `ended with code ${code}`;
  else if (counts.skipped > 0) reason = `skipped ${counts.skipped}: a skipped test counts as failed`;
  return { passed, failed: failed > 0 || reason === undefined ? failed : 1, reason };
}

/** Parses uvu's last lines, once they are complete. */
function summary(output) {
  const found = /Total:\s+(\d+)[^]*?Passed:\s+(\d+)[^]*?Skipped:\s+(\d+)[^]*?Duration:[^\n]*\n/.exec(output);
  return found === null ? undefined : { total: Number(found[1]), passed: Number(found[2]), skipped: Number(found[3]) };
}
