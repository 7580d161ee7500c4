// node tools/newer_nodes.js: a part of the tests, the demo and the pack on the newest long-term release of Node and on the newest one. The
// versions stand in tools/newer_nodes/package.json; the programs are packages of the registry and are installed beside it.
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { join } from "node:path";
import { run } from "./lib/processes.js";
import { root } from "./lib/runtime.js";

/** Files whose subjects differ between versions: threads, compression, streams, files, signals, the SDK's native part. */
const TESTS = [
  "codec",
  "pool.",
  "compression",
  "writing",
  "reading",
  "saving",
  "agent_actors",
  "abort_signals",
  "livekit/adopting",
];

const folder = join(root, "tools", "newer_nodes");
const { config } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const sums = { passed: 0, failed: 0 };

try {
  for (const [name, version] of Object.entries(config)) await tryOn(name, version);
} catch (error) {
  console.error(error.message);
  sums.failed++;
}
console.log(`${sums.passed} passed, ${sums.failed} failed`);
process.exitCode = sums.failed === 0 && sums.passed > 0 ? 0 : 1;

async function tryOn(name, version) {
  const node = await install(name, version);
  const { output } = await run([node, "--version"], { seconds: 20 });
  if (output.trim() !== `v${version}`) throw new Error(`Cannot run Node ${version}, as its program says "${output.trim()}"`);
  await count(version, [node, "tools/test.js", ...TESTS]);
  await count(version, [node, "tools/start.js"]);
  await count(version, [node, "tools/pack_test.js"]);
}

/** The path of the program of one version. */
async function install(name, version) {
  const program = join(folder, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
  const made = join(folder, "node_modules", name, "package.json");
  if (existsSync(made) && JSON.parse(readFileSync(made, "utf8")).version === version) return program;
  const platform = process.platform === "win32" ? "win" : process.platform;
  const all = Object.entries(config).map(([alias, number]) => `${alias}@npm:node-${platform}-${process.arch}@${number}`);
  const command = ["npm", "install", "--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", ...all];
  const { code, output } = await run(command, { cwd: folder, seconds: 600 });
  if (code !== 0) throw new Error(`Cannot install Node ${version} as npm failed:\n${output}`);
  return program;
}

/** Runs a command. What it counts is added; without a count it is one, by its code. */
async function count(version, command) {
  const { code, output } = await run(command, { seconds: 900 });
  const counts = /^(\d+) passed, (\d+) failed$/m.exec(output);
  const failures = counts === null ? Number(code !== 0) : Math.max(Number(counts[2]), Number(code !== 0));
  sums.passed += counts === null ? Number(code === 0) : Number(counts[1]);
  sums.failed += failures;
  console.log(`${failures === 0 ? "ok    " : "FAILED"} Node ${version}: ${command.slice(1).join(" ")}`);
  if (failures > 0) console.log(output.replace(/^/gm, "    "));
}
