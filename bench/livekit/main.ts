// Measures streams between two participants of a room, each a process of its own, on a LiveKit server of the benchmark's own,
//   by Millrace, by @livekit/rtc-node's own API and by LiveKit's SDK for Python.
//   Values: goodput and CPU time, latency of short texts,
//   the event loop's holds, many streams at once, memory of a receiver that does not read.
//   Contenders take turns in each round. Ratios are made round by round.
// Run: npm run bench:livekit | bun --bun run bench:livekit | deno task bench:livekit; arguments:
//   --quick: seconds instead of minutes; the numbers mean nothing. --rounds=N: default 5. --only=SECTION[,...]: of those below.
//   --out=FOLDER: default docs/bench, with --quick or --only none. Writes into <runtime>.json, and <runtime>-livekit.svg.
// Pitfalls: another load on the machine, as server and both ends share its cores. The printed load, idle drift and spread show that.
//   The hold of a write is measured in its first seconds only.
import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { projectRoot } from "../support/programs.ts";
import { startServer } from "../support/server.ts";
import { measureNoise, sha256Rate } from "../limits.ts";
import { emptyReport, figuresTable, noiseLines, writeReport } from "../report.ts";
import { bars } from "./bars.ts";
import { Processes } from "./processes.ts";
import { benchGoodput, benchMany, type Stage } from "./goodput.ts";
import { benchLatency } from "./latency.ts";
import { type LivekitReport, livekitTable, Results } from "./results.ts";
import { benchHold, benchUnread } from "./event_loop_hold.ts";
import { hasPython, inFolder, versions } from "./surroundings.ts";

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
await inFolder(async (folder) => {
  const results = await measure(folder);
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
});
console.log(`${((performance.now() - began) / 1000).toFixed(0)} s${out === undefined ? "" : `, written to ${out}`}`);

async function measure(folder: string): Promise<Results> {
  const results = new Results();
  await using server = await startServer();
  await using processes = new Processes(server);
  const tell = (line: string): void => console.log(`  ${line}`);
  for (const name of sections) {
    console.log(name);
    sha256Rate();
    const effort = { rounds, divisor: brief ? 64 : 1 };
    await SECTIONS[name]?.({
      processes,
      folder,
      kinds: hasPython() ? ["rtc-node", "python", "millrace"] : ["rtc-node", "millrace"],
      serverPid: server.pid,
      effort,
      results,
      tell,
    });
  }
  return results;
}
