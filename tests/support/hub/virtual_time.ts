// Time for tests: it stands still while work goes on, and jumps to the next timer when all work is done.
import type { Clock } from "../../../common/clock.ts";
import { yieldToEventLoop } from "../../../common/event_loop.ts";

export interface VirtualTimeOptions {
  /** Whether all real work (worker jobs, file access, a hub's deliveries) is done. Time stands still until then. */
  idle?: () => boolean;
  /** Turns of the event loop without a change of timers that count as "nothing goes on". Default: 4. */
  turns?: number;
}

export interface RunOptions {
  /** Virtual ms after which `run` gives up. Default: an hour. */
  limit?: number;
}

interface Timer {
  readonly id: number;
  readonly at: number;
  readonly fn: () => void;
}

/** Real ms without timers or an end after which `run` gives up. */
const PATIENCE = 5_000;

/**
 * A clock for links, pumps and actors (`RuntimeOptions.clock`). Timers fire in order of their time, then of their creation, each with all
 * its microtasks. So the same test has the same history.
 */
export class VirtualTime implements Clock {
  readonly #idle: () => boolean;
  readonly #turns: number;
  /** Timers in order of time, then of creation. */
  #timers: Timer[] = [];
  #now = 0;
  #made = 0;
  /** Number of timers made or cleared: a change shows activity. */
  #activity = 0;

  constructor(options: VirtualTimeOptions = {}) {
    this.#idle = options.idle ?? (() => true);
    this.#turns = options.turns ?? 4;
  }

  now(): number {
    return this.#now;
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.length;
  }

  setTimeout(fn: () => void, ms: number): number {
    const id = ++this.#made;
    this.#activity++;
    if (ms === Infinity) return id;
    const at = this.#now + Math.max(0, ms || 0);
    let place = this.#timers.length;
    while (place > 0 && (this.#timers[place - 1]?.at ?? 0) > at) place--;
    this.#timers.splice(place, 0, { id, at, fn });
    return id;
  }

  clearTimeout(id: unknown): void {
    const place = this.#timers.findIndex((timer) => timer.id === id);
    if (place === -1) return;
    this.#activity++;
    this.#timers.splice(place, 1);
  }

  /** Lets time pass, and everything due in it happen. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.#settle(() => false);
    for (let next = this.#timers[0]; next !== undefined && next.at <= until; next = this.#timers[0]) {
      this.#fire(next);
      await this.#settle(() => false);
    }
    this.#now = Math.max(this.#now, until);
  }

  /** Lets time pass until a promise has settled, or a condition holds. Throws past `limit`, or when nothing can happen any more. */
  run(until: () => boolean, options?: RunOptions): Promise<void>;
  run<T>(until: Promise<T>, options?: RunOptions): Promise<T>;
  async run<T>(until: Promise<T> | (() => boolean), options: RunOptions = {}): Promise<T | void> {
    let over = typeof until === "function" ? until : () => false;
    if (typeof until !== "function") {
      let settled = false;
      const settle = (): void => void (settled = true);
      until.then(settle, settle);
      over = () => settled;
    }
    await this.#pass(over, this.#now + (options.limit ?? 3_600_000));
    if (typeof until !== "function") return await until;
  }

  async #pass(over: () => boolean, limit: number): Promise<void> {
    let stuckSince: number | undefined;
    for (;;) {
      await this.#settle(over);
      if (over()) return;
      const next = this.#timers[0];
      if (next !== undefined) {
        stuckSince = undefined;
        if (next.at > limit) throw new Error(`Virtual time ran out: now ${this.#now}, limit ${limit}, next timer at ${next.at}`);
        this.#fire(next);
        continue;
      }
      stuckSince ??= performance.now();
      if (performance.now() - stuckSince > PATIENCE) {
        throw new Error(`Nothing is left that could happen: virtual time is ${this.#now}`);
      }
      await pause();
    }
  }

  #fire(timer: Timer): void {
    this.#now = Math.max(this.#now, timer.at);
    this.#timers.splice(this.#timers.indexOf(timer), 1);
    timer.fn();
  }

  /** Waits until there is no activity at this moment of virtual time. */
  async #settle(over: () => boolean): Promise<void> {
    for (let quiet = 0, seen = this.#activity; quiet < this.#turns && !over(); quiet++) {
      await yieldToEventLoop();
      while (!this.#idle() && !over()) await pause();
      if (seen !== this.#activity) quiet = -1;
      seen = this.#activity;
    }
  }
}

/** Leaves the processor to worker threads for a moment of real time. */
function pause(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 1));
}
