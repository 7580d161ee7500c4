// Results of the sections: values of contenders, run by run, and their ratios.
import type { Measure } from "../figures/types.ts";
import { asFigure } from "../figures/figures.ts";
import { median, spread } from "../probe.ts";
import { type Figure, type Noise, table } from "../report.ts";
import type { Kind } from "./processes.ts";

/** Thoroughness of a measurement. */
export interface Effort {
  readonly rounds: number;
  /** Divisor of sizes, counts and times. */
  readonly divisor: number;
}

export const TITLES: Readonly<Record<Kind, string>> = {
  millrace: "Millrace",
  "rtc-node": "rtc-node",
  python: "Python",
  page: "Millrace in a page",
  "livekit-client": "livekit-client",
};

/** One contender's value in one section. */
export interface LivekitRow {
  readonly section: string;
  readonly name: string;
  /** API of the contender. */
  readonly by: Kind;
  readonly unit: string;
  /** One value per run; the median counts. */
  readonly runs: readonly number[];
  readonly measured: number;
  /** Largest less smallest, as a share of the median. */
  readonly spread: number;
}

export interface LivekitReport {
  readonly versions: Readonly<Record<string, string>>;
  /** Load of the machine in the minute before. */
  readonly loadBefore: number;
  readonly noise: Noise;
  readonly rows: readonly LivekitRow[];
  readonly figures: readonly Figure[];
}

/** Gathers the results. */
export class Results {
  readonly rows: LivekitRow[] = [];
  readonly figures: Figure[] = [];

  row(section: string, name: string, by: Kind, unit: string, runs: readonly number[]): void {
    this.rows.push({ section, name, by, unit, runs, measured: median(runs), spread: spread(runs) });
  }

  figure(measure: Measure): void {
    this.figures.push(asFigure(measure));
  }
}

/** Ratios run by run: both contenders had their turns in the same minute. */
export function ratios(values: readonly number[], to: readonly number[]): number[] {
  return values.map((value, run) => value / (to[run] ?? NaN));
}

/** The runs of the contender with the largest median. */
export function bestOf(contenders: readonly (readonly number[])[]): readonly number[] {
  return [...contenders].sort((a, b) => median(b) - median(a))[0] ?? [];
}

export function span(values: readonly number[], unit = ""): string {
  return `${label(Math.min(...values))}–${label(Math.max(...values))}${unit}`;
}

export function livekitTable(rows: readonly LivekitRow[]): string {
  const lines = rows.map(({ name, unit, measured, runs }) => [name, `${label(measured)} ${unit}`, span(runs)]);
  return table(["", "median", "runs"], lines);
}

function label(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}
