// The table of figures in docs/figures.md, made from the results of all runtimes in docs/bench.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Figure, noiseLabel, reachLabel, type Report, type RuntimeName, valueLabel } from "../report.ts";

const RUNTIMES: readonly RuntimeName[] = ["node", "bun", "deno"];
const BEGIN = "<!-- figures: begin -->";
const END = "<!-- figures: end -->";

/** Replaces the table between the marks of a document by one of the results in a folder. */
export async function updateDocument(document: string, folder: string): Promise<void> {
  const text = await readFile(document, "utf8");
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`Cannot find the marks of the table: document is ${document}`);
  const reports = await readReports(folder);
  await writeFile(document, `${before}${BEGIN}\n\n${figuresDocument(reports)}\n\n${END}${after}`);
}

/** Markdown table of the figures: a row each, and a column of measured values for each runtime. */
export function figuresDocument(reports: readonly Report[]): string {
  const all = new Map<string, Figure>();
  for (const { figures = [] } of reports) for (const figure of figures) if (!all.has(figure.id)) all.set(figure.id, figure);
  const rows = [...all.values()].map((figure) => [
    figure.what,
    reachLabel(figure),
    ...reports.map(({ figures = [] }) => cell(figures.find(({ id }) => id === figure.id))),
  ]);
  const head = ["what", "want", ...reports.map(({ runtime, version }) => `${runtime} ${version}`)];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function cell(figure: Figure | undefined): string {
  if (figure === undefined) return "";
  const value = valueLabel(figure.measured);
  return [figure.reached ? value : `*${value}*`, noiseLabel(figure)].filter((part) => part !== "").join(" ");
}

async function readReports(folder: string): Promise<Report[]> {
  const paths = RUNTIMES.map((runtime) => join(folder, `${runtime}.json`)).filter((path) => existsSync(path));
  return await Promise.all(paths.map(async (path) => JSON.parse(await readFile(path, "utf8")) as Report));
}
