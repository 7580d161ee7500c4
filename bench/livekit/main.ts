// What it measures: streams between two participants of a room, each a process of its own, on a LiveKit server of the benchmark's own, by
//   Millrace, by @livekit/rtc-node's own API and by LiveKit's SDK for Python: goodput and CPU time, latency of short texts, the event loop's
//   holds, many streams at once, memory of a receiver that does not read. Contenders take turns in each round; ratios are made round by round.
// How to run: npm run bench:livekit | bun --bun run bench:livekit | deno task bench:livekit; arguments: --quick (seconds instead of minutes;
//   the numbers mean nothing), --rounds=N (default 5), --only=SECTION[,...] (of those below), --out=FOLDER (default docs/bench, with
//   --quick or --only none). Writes into <runtime>.json, and <runtime>-livekit.svg.
// What would make it lie: another load on the machine, as server and both ends share its cores (the load before, the idle drift and the
//   spread of the runs show it); the first seconds of a write are taken for all of it where its hold is measured.
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { needed, projectRoot } from "../../tests/livekit/programs.ts";
import { startServer } from "../../tests/livekit/server.ts";
import { measureNoise, sha256Rate } from "../limits.ts";
import { emptyReport, figuresTable, noiseLines, writeReport } from "../report.ts";
import { bars } from "./bars.ts";
import { Cast, type Kind } from "./cast.ts";
import { benchGoodput, benchMany, type Stage } from "./goodput.ts";
import { benchLatency } from "./latency.ts";
import { type LivekitReport, livekitTable, Results } from "./results.ts";
import { benchHold, benchUnread } from "./strain.ts";

const SECTIONS: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  goodput: benchGoodput,
  latency: benchLatency,
  hold: benchHold,
  many: benchMany,
  unread: benchUnread,
};

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { quick: { type: "boolean" }, rounds: { type: "string" }, only: { type: "string" }, out: { type: "string" } },
});
const brief = values.quick === true;
const rounds = Number(values.rounds ?? (brief ? 1 : 5));
if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError(`Cannot measure so many rounds: rounds are "${values.rounds}"`);
const sections = values.only?.split(",") ?? Object.keys(SECTIONS);
const unknown = sections.find((name) => !Object.hasOwn(SECTIONS, name));
if (unknown !== undefined) throw new RangeError(`Cannot measure as there is no such section: name is "${unknown}"`);
const out = values.out ?? (brief || values.only !== undefined ? undefined : join(projectRoot(), "docs", "bench"));

const began = performance.now();
const loadBefore = loadavg()[0] ?? NaN;
const folder = await mkdtemp(join(tmpdir(), "millrace-bench-"));
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    rmSync(folder, { recursive: true, force: true }); // the server and the participants end with this process
    process.exit(1);
  });
}
try {
  const results = await measure();
  const noise = await measureNoise(brief ? 20 : 500);
  for (const section of new Set(results.rows.map((row) => row.section))) {
    console.log(`\n${section}\n${livekitTable(results.rows.filter((row) => row.section === section))}`);
  }
  console.log(`\n${figuresTable(results.figures)}\n\nthe machine, load before ${loadBefore.toFixed(2)}\n${noiseLines(noise)}`);
  const livekit: LivekitReport = { versions: await versions(), loadBefore, noise, rows: results.rows, figures: results.figures };
  if (out !== undefined) {
    const whole = await writeReport(out, { ...emptyReport(brief), livekit });
    await writeFile(join(out, `${whole.runtime}-livekit.svg`), bars(whole, results.rows));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
console.log(`${((performance.now() - began) / 1000).toFixed(0)} s${out === undefined ? "" : `, written to ${out}`}`);

async function measure(): Promise<Results> {
  const results = new Results();
  await using server = await startServer();
  await using cast = new Cast(server);
  const tell = (line: string): void => console.log(`  ${line}`);
  for (const name of sections) {
    console.log(name);
    sha256Rate();
    const effort = { rounds, divisor: brief ? 64 : 1 };
    await SECTIONS[name]?.({ cast, folder, kinds: kinds(), serverPid: server.pid, effort, results, tell });
  }
  return results;
}

function kinds(): Kind[] {
  return hasPython() ? ["rtc-node", "python", "millrace"] : ["rtc-node", "millrace"];
}

function hasPython(): boolean {
  try {
    return needed("python") !== "";
  } catch {
    return false;
  }
}

async function versions(): Promise<Record<string, string>> {
  const path = join(projectRoot(), "node_modules", "@livekit", "rtc-node", "package.json");
  const sdk = JSON.parse(await readFile(path, "utf8")) as { version: string };
  const server = execFileSync(needed("livekit"), ["--version"], { encoding: "utf8" }).trim();
  const code = 'from importlib.metadata import version; print(version("livekit"))';
  const python = hasPython() ? { python: execFileSync(needed("python"), ["-c", code], { encoding: "utf8" }).trim() } : {};
  return { server, "@livekit/rtc-node": sdk.version, ...python };
}
