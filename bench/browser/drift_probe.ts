/** Interval, in ms; a page's shortest. */
const INTERVAL_MS = 4;

/** Longest hold of a page, in ms: the lateness of an interval. */
export class DriftProbe {
  #longest = 0;
  #last = performance.now();
  #timer: ReturnType<typeof setInterval> | undefined = setInterval(() => this.#look(), INTERVAL_MS);

  /** Ends the probe. A present hold counts. */
  stop(): { longest: number } {
    if (this.#timer !== undefined) this.#look();
    clearInterval(this.#timer);
    this.#timer = undefined;
    return { longest: this.#longest };
  }

  #look(): void {
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - this.#last - INTERVAL_MS);
    this.#last = now;
  }
}
