import type { Clock } from "../../protocol/clock.ts";

/** Milliseconds that chunks missing at the trailer may still take: on a transport that keeps its promises there are none. */
const GAP_WAIT = 1_000;

/** Since when nothing was heard of a stream's sender, and since when chunks are missing. */
export class Silence {
  readonly #clock: Required<Clock>;
  #heardAt: number;
  #gapSince: number | undefined;

  constructor(clock: Required<Clock>) {
    this.#clock = clock;
    this.#heardAt = clock.now();
  }

  /** Whether chunks are missing that should have come. */
  get hasGap(): boolean {
    return this.#gapSince !== undefined;
  }

  heard(): void {
    this.#heardAt = this.#clock.now();
  }

  /** Chunks are missing; true if that is news. */
  noteGap(): boolean {
    if (this.hasGap) return false;
    this.#gapSince = this.#clock.now();
    return true;
  }

  /** Milliseconds until the silence has lasted as long as it may, 0 at least. */
  left(limit: number): number {
    const now = this.#clock.now();
    const left = limit - (now - this.#heardAt);
    return Math.max(0, this.#gapSince === undefined ? left : Math.min(left, GAP_WAIT - (now - this.#gapSince)));
  }
}
