// Command line, loop and report of a benchmark in rooms that has sections.
import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { measureNoise, sha256Rate } from "../limits.ts";
import { emptyReport, figuresTable, noiseLines, writeReport } from "../report.ts";
import { projectRoot } from "../support/programs.ts";
import { bars } from "./bars.ts";
import { type LivekitReport, livekitTable, Results } from "./results.ts";
import { inFolder, versions } from "./surroundings.ts";

/** Environment of every section. */
export interface SectionContext {
  /** Folder for files, removed afterwards. */
  readonly folder: string;
  readonly rounds: number;
  /** True for a quick run, whose numbers mean nothing. */
  readonly brief: boolean;
  readonly results: Results;
  readonly tell: (line: string) => void;
}

/** A benchmark with sections. */
export interface SectionedBench {
  /** Name of its part of the report, and of its drawing. */
  readonly name: "livekit" | "browser";
  /** Names of the sections, in their order. */
  readonly sections: readonly string[];
  readonly defaultRounds: number;
  /** Starts what all sections share, and calls `each` with the measurement of one. */
  readonly run: (context: SectionContext, each: (measure: (section: string) => Promise<void>) => Promise<void>) => Promise<void>;
}

/** Runs the sections that the command line asks for, prints the results, and writes them into the folder. */
export async function runSections({ name, sections, defaultRounds, run }: SectionedBench): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { quick: { type: "boolean" }, rounds: { type: "string" }, only: { type: "string" }, out: { type: "string" } },
  });
  const brief = values.quick === true;
  const rounds = Number(values.rounds ?? (brief ? 1 : defaultRounds));
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new RangeError(`Cannot measure so many rounds: rounds are "${values.rounds}"`);
  }
  const chosen = values.only?.split(",") ?? sections;
  const unknown = chosen.find((section) => !sections.includes(section));
  if (unknown !== undefined) throw new RangeError(`Cannot measure as there is no such section: name is "${unknown}"`);
  const out = values.out ?? (brief || values.only !== undefined ? undefined : join(projectRoot(), "docs", "bench"));

  const began = performance.now();
  const loadBefore = loadavg()[0] ?? NaN;
  await inFolder(async (folder) => {
    const results = new Results();
    const tell = (line: string): void => console.log(`  ${line}`);
    await run({ folder, rounds, brief, results, tell }, async (measure) => {
      for (const section of chosen) {
        console.log(section);
        sha256Rate();
        await measure(section);
      }
    });
    const noise = await measureNoise(brief ? 20 : 500);
    for (const section of new Set(results.rows.map((row) => row.section))) {
      console.log(`\n${section}\n${livekitTable(results.rows.filter((row) => row.section === section))}`);
    }
    console.log(`\n${figuresTable(results.figures)}\n\nthe machine, load before ${loadBefore.toFixed(2)}\n${noiseLines(noise)}`);
    const report: LivekitReport = { versions: await versions(), loadBefore, noise, rows: results.rows, figures: results.figures };
    if (out !== undefined) {
      const whole = await writeReport(out, { ...emptyReport(brief), [name]: report });
      await writeFile(join(out, `${whole.runtime}-${name}.svg`), bars(whole, results.rows));
    }
  });
  console.log(`${((performance.now() - began) / 1000).toFixed(0)} s${out === undefined ? "" : `, written to ${out}`}`);
}
