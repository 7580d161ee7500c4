import type { CodecPool } from "../../mod.ts";

/** Measurement of a figure: each run gives a value, the median counts. */
export interface Measure {
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  readonly reach: number;
  readonly better: "less" | "more";
  readonly runs: readonly number[];
  readonly note: string;
  /** Further condition besides the value. */
  readonly holds?: boolean;
}

/** Input of a figure's measurement. */
export interface FigureContext {
  readonly pool: CodecPool;
  readonly rounds: number;
  /** Divisor of all sizes. */
  readonly divisor: number;
}
