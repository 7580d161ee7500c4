/** Size of the window, in sequence numbers: headers that overtake each other by more count as repeats. */
const WINDOW = 1_024;

/** Anti-replay window: remembers which sequence numbers have come, in bounded memory. */
export class ReplayWindow {
  readonly #seen = new Set<number>();
  #highest = -1;

  /** Whether a number comes for the first time. */
  take(sequence: number): boolean {
    if (sequence <= this.#highest - WINDOW || this.#seen.has(sequence)) return false;
    this.#seen.add(sequence);
    this.#highest = Math.max(this.#highest, sequence);
    if (this.#seen.size > 2 * WINDOW) {
      for (const seen of this.#seen) if (seen <= this.#highest - WINDOW) this.#seen.delete(seen);
    }
    return true;
  }
}
