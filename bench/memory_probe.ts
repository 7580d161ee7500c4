import process from "node:process";

/** Measures this process's resident set every few milliseconds. */
export class MemoryProbe {
  readonly #before: number = process.memoryUsage().rss;
  #largest: number = this.#before;
  readonly #timer: ReturnType<typeof setInterval> = setInterval(() => this.#look(), 10);

  /** Ends the probe. Returns the largest growth of the set, in bytes. */
  stop(): number {
    clearInterval(this.#timer);
    this.#look();
    return this.#largest - this.#before;
  }

  #look(): void {
    this.#largest = Math.max(this.#largest, process.memoryUsage().rss);
  }
}
