import process from "node:process";

/** Looks at this process's resident set every few milliseconds. */
export class MemoryProbe {
  readonly #before: number = process.memoryUsage().rss;
  #largest: number = this.#before;
  readonly #timer: ReturnType<typeof setInterval> = setInterval(() => this.#look(), 10);

  /** Ends the probe; the bytes by which the set grew at its largest. */
  stop(): number {
    clearInterval(this.#timer);
    this.#look();
    return this.#largest - this.#before;
  }

  #look(): void {
    this.#largest = Math.max(this.#largest, process.memoryUsage().rss);
  }
}
