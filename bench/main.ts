// Measures throughput and the event loop's holds, by the pool and inline. The codec is measured by segment size,
//   streams on the hub by chunk size, by write size and as finite sends. Compares the machine's limits and peers.
// Run: npm run bench | bun --bun run bench | deno task bench; npm run bench:figures | ...; arguments:
//   --figures: the figures to reach. --only=SECTION[,...]: of the figures holds, rates, small, formats, actors, pipe,
//   processes.
//   --profile: where the time of large sends on the hub goes, on Node only.
//   --brief: seconds instead of minutes; the numbers mean nothing.
//   --out=FOLDER: default docs/bench, with --brief or --only none. Writes <runtime>.json and .svg; into docs/bench, the table of docs/figures.md
//   as well. With --only the figures of other sections stay as they are there.
// Pitfalls: another load on the machine, which shows in the spread of the plain sha256 rate, the idle drift and the free cores;
//   a laptop's changing clock rate; --brief.
import { writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BRIEF, FULL } from "./alternate.ts";
import { benchCodec } from "./codec.ts";
import { updateDocument } from "./figures/document.ts";
import { FIGURE_SECTIONS, measureFigures } from "./figures/figures.ts";
import { measureNoise } from "./limits.ts";
import { plot } from "./plot.ts";
import { emptyReport, figuresTable, noiseLines, type Report, type Row, rowsTable, writeReport } from "./report.ts";
import { benchStreams } from "./streams.ts";

const IDLE_MS = 500;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    figures: { type: "boolean" },
    profile: { type: "boolean" },
    only: { type: "string" },
    brief: { type: "boolean" },
    out: { type: "string" },
  },
});
const brief = values.brief === true;
const only = values.only?.split(",");
const unknown = only?.find((name) => !FIGURE_SECTIONS.includes(name));
if (unknown !== undefined) throw new RangeError(`Cannot measure as there is no such section: name is "${unknown}"`);
const published = join(projectRoot(), "docs", "bench");
const folder = values.out ?? (brief || only !== undefined ? undefined : published);

const empty = emptyReport(brief);
if (values.profile === true) {
  if (empty.runtime !== "node") throw new RangeError(`Cannot profile on ${empty.runtime}: only Node has this profiler`);
  const { profileSends } = await import("./profile.ts");
  console.log(await profileSends(brief));
  process.exit();
}

const began = performance.now();
const report = values.figures === true ? await figures(empty) : await throughput(empty);
if (folder !== undefined) {
  const whole = await writeReport(folder, report, only !== undefined);
  if (values.figures === true && !brief && resolve(folder) === published) {
    await updateDocument(join(projectRoot(), "docs", "figures.md"), folder);
  }
  if (whole.rows !== undefined) await writeFile(join(folder, `${whole.runtime}.svg`), plot(whole, whole.rows));
}
console.log(`${((performance.now() - began) / 1000).toFixed(0)} s${folder === undefined ? "" : `, written to ${folder}`}`);

async function throughput(report: Report): Promise<Report> {
  const effort = brief ? BRIEF : FULL;
  const rows: Row[] = [];
  for (const bench of [benchCodec, benchStreams]) {
    for (const row of await bench(effort)) rows.push(row);
  }
  for (const section of new Set(rows.map((row) => row.section))) {
    console.log(`\n${section}`);
    console.log(rowsTable(rows.filter((row) => row.section === section)));
  }
  const noise = await measureNoise(brief ? 20 : IDLE_MS);
  console.log(`\nthe machine\n${noiseLines(noise)}`);
  return { ...report, noise, rows };
}

async function figures(report: Report): Promise<Report> {
  const measured = await measureFigures(
    brief,
    only,
    (figure) => console.log(`  ${figure.what} ${figure.note}: ${figure.measured.toFixed(2)} ${figure.unit}`),
  );
  const figuresNoise = await measureNoise(brief ? 20 : IDLE_MS);
  console.log(`\n${figuresTable(measured)}\n\nthe machine\n${noiseLines(figuresNoise)}`);
  return { ...report, figuresNoise, figures: measured };
}

/** Folder of deno.json: this file runs from its source and, compiled, from within dist/. */
function projectRoot(): string {
  let root = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(root, "deno.json")) && dirname(root) !== root) root = dirname(root);
  return root;
}
