// Hold of the event loop: the drift of a 5 ms interval, which means the same on every runtime.
// Pitfalls: another load on the machine. So the idle drift is printed as well, and on Linux the longest hold without the time in which this
// thread did not run. Then others, or this program's own workers, had the cores.
import { readFileSync } from "node:fs";
import process from "node:process";

const INTERVAL_MS = 5;

/** Delays of the interval, in ms. */
export interface Holds {
  readonly longest: number;
  readonly p99: number;
  readonly samples: number;
  /** Longest hold, counting only the time in which this thread ran. */
  readonly own?: number;
}

const SCHEDULE = `/proc/self/task/${process.pid}/schedstat`;

export class HoldProbe {
  readonly #late: number[] = [];
  readonly #own: number[] = [];
  #last: number = performance.now();
  #ran: number | undefined = ranFor();
  #timer: ReturnType<typeof setInterval> | undefined = setInterval(() => this.#look(), INTERVAL_MS);

  /** Ends the probe. A present hold counts. */
  stop(): Holds {
    if (this.#timer !== undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#look();
    }
    return {
      longest: Math.max(0, ...this.#late),
      p99: quantile(this.#late, 0.99),
      samples: this.#late.length,
      ...(this.#own.length === 0 ? {} : { own: Math.max(0, ...this.#own) }),
    };
  }

  #look(): void {
    const now = performance.now();
    const late = Math.max(0, now - this.#last - INTERVAL_MS);
    const ran = ranFor();
    this.#late.push(late);
    if (ran !== undefined && this.#ran !== undefined) this.#own.push(Math.min(late, ran - this.#ran));
    this.#last = now;
    this.#ran = ran;
  }
}

/** Milliseconds that this thread, the process's first, has run since it started; undefined where the system does not tell. */
function ranFor(): number | undefined {
  try {
    return Number(readFileSync(SCHEDULE, "utf8").split(" ")[0]) / 1e6;
  } catch {
    return undefined;
  }
}

/** Smallest value that a share of the values does not exceed; 0 without values. */
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

/** Drift of an idle event loop. */
export async function idleHolds(ms: number): Promise<Holds> {
  const probe = new HoldProbe();
  await wait(ms);
  return probe.stop();
}
