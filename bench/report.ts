// Results of a benchmark run: rows and figures, as a table, as JSON, and by plot.ts as a drawing.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Holds } from "./probe.ts";

/** A contender and its measured rate. */
export interface Row {
  readonly section: string;
  /** Name of the contender: "pool", "inline", or a peer. */
  readonly name: string;
  /** Size that the section varies, in bytes: a segment, a chunk, a write, a send. */
  readonly size: number;
  /** MB (10^6 bytes) a second, median of the passes. */
  readonly rate: number;
  /** As a share of plain sha256 of one core in the same passes. */
  readonly share: number;
  /** Longest hold of the event loop, in ms; absent if this thread does the work, in one piece. */
  readonly holds?: Holds;
}

/** One of the figures to reach. */
export interface Figure {
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  readonly reach: number;
  readonly better: "less" | "more";
  readonly measured: number;
  /** Half the difference between the largest run and the smallest, as a share of the median. */
  readonly noise?: number;
  readonly reached: boolean;
  readonly runs: readonly number[];
  readonly note: string;
}

/** Noise of the machine. */
export interface Noise {
  /** MB a second of plain sha256 on one core: median over the run, and (largest - smallest) / median. */
  readonly sha256: number;
  readonly sha256Spread: number;
  readonly memcpy: number;
  /** Rate of threads hashing on all cores at once, in cores; less than the machine has if others use them. */
  readonly coresFree: number;
  readonly idle: Holds;
}

export interface Report {
  readonly runtime: string;
  readonly version: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly platform: string };
  readonly brief: boolean;
  readonly noise?: Noise;
  readonly rows?: readonly Row[];
  readonly figuresNoise?: Noise;
  readonly figures?: readonly Figure[];
  /** Results of bench/livekit/. */
  readonly livekit?: object;
  /** Results of bench/links/. */
  readonly links?: object;
  /** Results of bench/browser/. */
  readonly browser?: object;
}

export type RuntimeName = "node" | "bun" | "deno";

const deno = (globalThis as { Deno?: { version: { deno: string } } }).Deno;

export const runtimeName: RuntimeName = deno !== undefined ? "deno" : process.versions["bun"] !== undefined ? "bun" : "node";

export const cores: number = availableParallelism();

/** A report of this runtime without results. */
export function emptyReport(brief: boolean): Report {
  const version = deno?.version.deno ?? process.versions["bun"] ?? process.versions.node;
  const machine = { cpu: cpus()[0]?.model.trim() ?? "", cores, platform: `${process.platform} ${process.arch}` };
  return { runtime: runtimeName, version, machine, brief };
}

/**
 * Writes `<folder>/<runtime>.json`, and keeps results of the other half there; with `keepFigures` also the figures that were not measured.
 * Returns all results.
 */
export async function writeReport(folder: string, report: Report, keepFigures = false): Promise<Report> {
  const path = join(folder, `${report.runtime}.json`);
  await mkdir(folder, { recursive: true });
  let earlier: Partial<Report> = {};
  try {
    earlier = JSON.parse(await readFile(path, "utf8")) as Partial<Report>;
  } catch {
    // Without a former report, or after one that was cut off, there is nothing to keep.
  }
  const whole = { ...earlier, ...report };
  const measured = new Map(report.figures?.map((figure) => [figure.id, figure]));
  if (keepFigures && earlier.figures !== undefined) {
    const kept = earlier.figures.map((figure) => measured.get(figure.id) ?? figure);
    whole.figures = [...new Set([...kept, ...measured.values()])];
  }
  const rounded = (_: string, value: unknown): unknown => typeof value === "number" ? Number(value.toPrecision(4)) : value;
  await writeFile(path, `${JSON.stringify(whole, rounded, 2)}\n`);
  return whole;
}

/** Lines with columns of equal width; all but the first `left` are right-aligned. */
export function table(head: readonly string[], lines: readonly (readonly string[])[], left = 1): string {
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => (line[column] ?? "").length)));
  const set = (line: readonly string[]): string =>
    line.map((cell, column) => column < left ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)).join("  ");
  return [head, ...lines].map((line) => `  ${set(line).trimEnd()}`).join("\n");
}

export function rowsTable(rows: readonly Row[]): string {
  const lines = rows.map(({ name, size, rate, share, holds }) => [
    name,
    bytesLabel(size),
    rateLabel(rate),
    share.toFixed(2),
    holds?.longest.toFixed(1) ?? "",
    holds?.own?.toFixed(1) ?? "",
    holds?.p99.toFixed(1) ?? "",
  ]);
  return table(["", "size", "MB/s", "of sha256", "longest hold, ms", "less collector", "p99 hold, ms"], lines);
}

export function figuresTable(figures: readonly Figure[]): string {
  const lines = figures.map((figure) => [
    figure.what,
    figure.note,
    reachLabel(figure),
    `${valueLabel(figure.measured)} ${figure.unit}`,
    noiseLabel(figure),
    figure.reached ? "held" : "SHORT",
  ]);
  return table(["figure", "", "want", "measured", "noise", ""], lines, 2);
}

/** Value that is wanted of a figure. */
export function reachLabel({ better, reach, unit }: Figure): string {
  return reach === 0 ? "" : `${better === "less" ? "≤" : "≥"} ${reach} ${unit}`;
}

/** Difference between the runs of a figure, such as "± 5 %"; empty with one run. */
export function noiseLabel({ noise = 0, runs }: Figure): string {
  return runs.length < 2 ? "" : `± ${(100 * noise).toFixed(0)} %`;
}

export function noiseLines({ sha256, sha256Spread, memcpy, coresFree, idle }: Noise): string {
  return [
    `plain sha256 of one core ${rateLabel(sha256)} MB/s, spread ${(100 * sha256Spread).toFixed(0)} % over the run; memcpy ${
      rateLabel(memcpy)
    } MB/s`,
    `all ${cores} cores at once hash as ${coresFree.toFixed(2)} of one; idle drift p99 ${idle.p99.toFixed(1)}, longest ${
      idle.longest.toFixed(1)
    } ms`,
  ].map((line) => `  ${line}`).join("\n");
}

export function bytesLabel(bytes: number): string {
  if (bytes >= 1e6) return `${Math.round(bytes / 1e5) / 10} MB`;
  return bytes >= 1000 ? `${Math.round(bytes / 100) / 10} kB` : `${bytes} B`;
}

function rateLabel(rate: number): string {
  return rate >= 100 ? rate.toFixed(0) : rate.toFixed(1);
}

export function valueLabel(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2);
}
