import type { Results } from "../livekit/results.ts";

/** Environment of a section. */
export interface Stage {
  /** Folder for files, removed afterwards. */
  readonly folder: string;
  readonly rounds: number;
  /** Divisor of sizes, more than 1 for a quick run. */
  readonly divisor: number;
  readonly results: Results;
  readonly tell: (line: string) => void;
}
