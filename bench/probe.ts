// Hold of the event loop: the drift of a 5 ms interval, which means the same on every runtime.
// Pitfalls: another load on the machine. So the idle drift is printed as well. On Node the longest hold is told without the collector's
// pauses, too.
import { type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import process from "node:process";

const INTERVAL_MS = 5;

/** Delays of the interval, in ms. */
export interface Holds {
  readonly longest: number;
  readonly p99: number;
  readonly samples: number;
  /** Longest hold less the pauses of the garbage collector within it; absent where the runtime does not tell them. */
  readonly own?: number;
}

/** Time between two looks, in ms. */
interface Turn {
  readonly from: number;
  readonly to: number;
}

export class HoldProbe {
  readonly #turns: Turn[] = [];
  readonly #pauses: PerformanceEntry[] = [];
  readonly #observer: PerformanceObserver | undefined = observePauses((pauses) => this.#pauses.push(...pauses));
  #last: number = performance.now();
  #timer: ReturnType<typeof setInterval> | undefined = setInterval(() => this.#look(), INTERVAL_MS);

  /** Ends the probe. A present hold counts. */
  stop(): Holds {
    if (this.#timer !== undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#look();
      this.#pauses.push(...this.#observer?.takeRecords() ?? []);
      this.#observer?.disconnect();
    }
    const late = this.#turns.map(lateness);
    const own = this.#observer && this.#turns.map((turn) => Math.max(0, lateness(turn) - this.#pausedIn(turn)));
    return {
      longest: Math.max(0, ...late),
      p99: quantile(late, 0.99),
      samples: late.length,
      ...(own === undefined ? {} : { own: Math.max(0, ...own) }),
    };
  }

  #look(): void {
    const now = performance.now();
    this.#turns.push({ from: this.#last, to: now });
    this.#last = now;
  }

  /** Milliseconds of the collector's pauses while a turn was late. */
  #pausedIn({ from, to }: Turn): number {
    const due = from + INTERVAL_MS;
    let ms = 0;
    for (const { startTime, duration } of this.#pauses) {
      ms += Math.max(0, Math.min(to, startTime + duration) - Math.max(due, startTime));
    }
    return ms;
  }
}

function lateness({ from, to }: Turn): number {
  return Math.max(0, to - from - INTERVAL_MS);
}

/** Observes the pauses of the garbage collector, which Node tells only. */
function observePauses(seen: (pauses: readonly PerformanceEntry[]) => void): PerformanceObserver | undefined {
  if ("Deno" in globalThis || "Bun" in globalThis) return undefined; // Deno lists the type, and tells none
  const observer = new PerformanceObserver((list) => seen(list.getEntries()));
  observer.observe({ entryTypes: ["gc"] });
  return observer;
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

/** Microseconds of CPU time of this process, workers and collector included. */
export async function cpuOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Drift of an idle event loop. */
export async function idleHolds(ms: number): Promise<Holds> {
  const probe = new HoldProbe();
  await wait(ms);
  return probe.stop();
}
