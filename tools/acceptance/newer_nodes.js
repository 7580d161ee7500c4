// node tools/acceptance/newer_nodes.js: runs some tests, the demo and the pack's test on the newest long-term release of Node and on the newest one.
// tools/newer_nodes/package.json has the versions; the programs are packages that are installed beside it.
import { newerNode, versions } from "../lib/programs/newer_nodes.js";
import { run } from "../lib/processes.js";
import { count, tally } from "../lib/tally.js";

/** Tests of subjects that differ between versions: threads, compression, streams, files, signals, the SDK's native part. */
const TESTS = [
  "codec",
  "pool.",
  "compression",
  "writing",
  "reading",
  "saving",
  "agent_actors",
  "abort_signals",
  "rooms/adopting",
];

await tally(async () => {
  for (const [name, version] of Object.entries(versions)) await tryOn(name, version);
});

async function tryOn(name, version) {
  const node = await newerNode(name);
  const { output } = await run([node, "--version"], { seconds: 20 });
  if (output.trim() !== `v${version}`) {
    throw new Error(`Cannot run Node ${version}: expected the version v${version}, got "${output.trim()}"`);
  }
  await runOn(version, [node, "tools/test.js", ...TESTS]);
  await runOn(version, [node, "tools/start.js"]);
  await runOn(version, [node, "tools/acceptance/pack_test.js"]);
}

/** Runs a command and adds its counts; a command without counts counts as one, by its code. */
async function runOn(version, command) {
  const { code, output } = await run(command, { seconds: 900 });
  const counts = /^(\d+) passed, (\d+) failed$/m.exec(output);
  const failures = counts === null ? Number(code !== 0) : Math.max(Number(counts[2]), Number(code !== 0));
  count(counts === null ? Number(code === 0) : Number(counts[1]), failures);
  console.log(`${failures === 0 ? "ok    " : "FAILED"} Node ${version}: ${command.slice(1).join(" ")}`);
  if (failures > 0) console.log(output.replace(/^/gm, "    "));
}
