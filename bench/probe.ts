// How long the event loop was held: the drift of a 5 ms interval, which means the same on every runtime.
// What would make it lie: another load on the machine. So the idle drift is measured too, and printed beside.

const INTERVAL_MS = 5;

/** Milliseconds by which the interval was late. */
export interface Holds {
  readonly longest: number;
  readonly p99: number;
  readonly samples: number;
}

export class HoldProbe {
  readonly #late: number[] = [];
  #last: number = performance.now();
  #timer: ReturnType<typeof setInterval> | undefined = setInterval(() => this.#look(), INTERVAL_MS);

  /** Ends the probe; what holds the loop right now counts. */
  stop(): Holds {
    if (this.#timer !== undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#look();
    }
    return holdsOf(this.#late);
  }

  #look(): void {
    const now = performance.now();
    this.#late.push(Math.max(0, now - this.#last - INTERVAL_MS));
    this.#last = now;
  }
}

export function holdsOf(late: readonly number[]): Holds {
  return { longest: Math.max(0, ...late), p99: quantile(late, 0.99), samples: late.length };
}

/** The least value that so great a share of the values does not exceed; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Largest less smallest, as a share of the median. */
export function spread(values: readonly number[]): number {
  return values.length === 0 ? 0 : (Math.max(...values) - Math.min(...values)) / median(values);
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

/** What drift there is when nothing is done. */
export async function idleHolds(ms: number): Promise<Holds> {
  const probe = new HoldProbe();
  await wait(ms);
  return probe.stop();
}
