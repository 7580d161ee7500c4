// node tools/newer_nodes.js: a part of the tests, the demo and the pack on the newest long-term release of Node and on the newest one. The
// versions stand in tools/newer_nodes/package.json; the programs are packages of the registry and are installed beside it.
import process from "node:process";
import { newerNode, versions } from "./lib/newer_nodes.js";
import { run } from "./lib/processes.js";

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

const sums = { passed: 0, failed: 0 };

try {
  for (const [name, version] of Object.entries(versions)) await tryOn(name, version);
} catch (error) {
  console.error(error.message);
  sums.failed++;
}
console.log(`${sums.passed} passed, ${sums.failed} failed`);
process.exitCode = sums.failed === 0 && sums.passed > 0 ? 0 : 1;

async function tryOn(name, version) {
  const node = await newerNode(name);
  const { output } = await run([node, "--version"], { seconds: 20 });
  if (output.trim() !== `v${version}`) throw new Error(`Cannot run Node ${version}, as its program says "${output.trim()}"`);
  await count(version, [node, "tools/test.js", ...TESTS]);
  await count(version, [node, "tools/start.js"]);
  await count(version, [node, "tools/pack_test.js"]);
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
