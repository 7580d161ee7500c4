// Measures streams between a page of headless Chromium and a Node process, in rooms of a LiveKit server of the benchmark's own,
//   by Millrace, and by livekit-client and @livekit/rtc-node used plainly. Contenders take turns in each round.
//   Ratios are made round by round, against the best of the plain calls in the same round.
//   In the background the sender sends the receiver a message of 50 bytes each 100 ms, one way.
// Run: npm run bench:browser; arguments:
//   --only=SECTION[,...]: goodput, line, holds, unread, files, bystander; default all.
//   --rounds=N: default 3. --quick: a minute; the numbers mean nothing.
//   --out=FOLDER: default docs/bench, with --quick or --only none. Writes into <runtime>.json, and <runtime>-browser.svg.
//   A system other than Linux may have to be told of 127.0.0.2 (macOS: ifconfig lo0 alias 127.0.0.2); memory is read on Linux only.
// Pitfalls: another load on the machine, as browser, server and relay share its cores. The printed load and spread show that.
import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { projectRoot } from "../support/programs.ts";
import { measureNoise, sha256Rate } from "../limits.ts";
import { bars } from "../livekit/bars.ts";
import { type LivekitReport, livekitTable, Results } from "../livekit/results.ts";
import { inFolder, versions } from "../livekit/surroundings.ts";
import { emptyReport, figuresTable, noiseLines, writeReport } from "../report.ts";
import { benchBystander, benchFiles, benchHolds, benchUnread } from "./pages.ts";
import { benchGoodput, benchLine } from "./transfers.ts";
import type { Stage } from "./stage.ts";

const SECTIONS: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  goodput: benchGoodput,
  line: benchLine,
  holds: benchHolds,
  unread: benchUnread,
  files: benchFiles,
  bystander: benchBystander,
};

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { quick: { type: "boolean" }, rounds: { type: "string" }, only: { type: "string" }, out: { type: "string" } },
});
const brief = values.quick === true;
const rounds = Number(values.rounds ?? (brief ? 1 : 3));
if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError(`Cannot measure so many rounds: rounds are "${values.rounds}"`);
const sections = values.only?.split(",") ?? Object.keys(SECTIONS);
const unknown = sections.find((name) => !Object.hasOwn(SECTIONS, name));
if (unknown !== undefined) throw new RangeError(`Cannot measure as there is no such section: name is "${unknown}"`);
const out = values.out ?? (brief || values.only !== undefined ? undefined : join(projectRoot(), "docs", "bench"));

const began = performance.now();
const loadBefore = loadavg()[0] ?? NaN;
await inFolder(async (folder) => {
  const results = new Results();
  const tell = (line: string): void => console.log(`  ${line}`);
  for (const name of sections) {
    console.log(name);
    sha256Rate();
    await SECTIONS[name]?.({ folder, rounds, divisor: brief ? 16 : 1, results, tell });
  }
  const noise = await measureNoise(brief ? 20 : 500);
  for (const section of new Set(results.rows.map((row) => row.section))) {
    console.log(`\n${section}\n${livekitTable(results.rows.filter((row) => row.section === section))}`);
  }
  console.log(`\n${figuresTable(results.figures)}\n\nthe machine, load before ${loadBefore.toFixed(2)}\n${noiseLines(noise)}`);
  const browser: LivekitReport = { versions: await versions(), loadBefore, noise, rows: results.rows, figures: results.figures };
  if (out !== undefined) {
    const whole = await writeReport(out, { ...emptyReport(brief), browser });
    await writeFile(join(out, `${whole.runtime}-browser.svg`), bars(whole, results.rows));
  }
});
console.log(`${((performance.now() - began) / 1000).toFixed(0)} s${out === undefined ? "" : `, written to ${out}`}`);
