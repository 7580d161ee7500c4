import type { SectionContext } from "../livekit/sections.ts";

/** Environment of a section. */
export interface Stage extends Omit<SectionContext, "brief"> {
  /** Divisor of sizes, more than 1 for a quick run. */
  readonly divisor: number;
}
