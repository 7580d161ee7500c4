// Queue of sends that cannot open their stream at once, first come, first served: their receivers accept no more streams for the moment, or
// the time slice is used up.
import { onAbort } from "../../common/abort.ts";
import type { Clock } from "../../common/clock.ts";
import { shouldYield, yieldToEventLoop } from "../../common/event_loop.ts";
import { StreamCredit } from "../../protocol/flow/stream_credit.ts";

/** Stream credit that a send has taken: one stream per receiver. */
export interface OpeningTurn {
  readonly credits: readonly StreamCredit[];
  /** Receivers that gave no stream credit within `stallTimeout`. */
  readonly stalled: ReadonlySet<StreamCredit>;
}

interface Waiter {
  readonly credits: readonly StreamCredit[];
  readonly stalled: Set<StreamCredit>;
  admit(turn: OpeningTurn | undefined): void;
}

export interface OpeningQueueOptions {
  readonly clock: Required<Clock>;
  /** Longest time that a receiver with waiting sends may give no credit, in ms. */
  readonly stallTimeout: number;
}

/** Stands for the credit of receivers that state no limit. */
const UNLIMITED: StreamCredit = new StreamCredit();

/** Admits sends as far as their receivers have given credit for streams. */
export class OpeningQueue {
  readonly #clock: Required<Clock>;
  readonly #stallTimeout: number;
  readonly #waiters = new Set<Waiter>();
  /** Number of waiting sends per receiver. */
  readonly #waited = new Map<StreamCredit, number>();
  /** Number of sends with a turn that have not gone on yet: no other send overtakes them. */
  #admitted = 0;
  /** Whether admission goes on in the next turn of the event loop. */
  #isPaused = false;
  #timer: unknown;
  #closed = false;

  constructor({ clock, stallTimeout }: OpeningQueueOptions) {
    this.#clock = clock;
    this.#stallTimeout = stallTimeout;
  }

  /** Number of sends that wait for a receiver. */
  waitingFor(credit: StreamCredit): number {
    return this.#waited.get(credit) ?? 0;
  }

  /** Takes credit for a stream where each receiver has some; false if the send has to wait. One of many waits for a time slice, too. */
  tryEnter(credits: readonly StreamCredit[], isOneOfMany: boolean): boolean {
    if (this.#isPaused || this.#admitted > 0 || (isOneOfMany && shouldYield())) return false;
    if (credits.some((credit) => !credit.available)) return false;
    for (const credit of credits) credit.take();
    return true;
  }

  /**
   * Resolves when credit for a stream was taken at each receiver that has not stalled; with undefined when the wait was given up. A send
   * with a turn calls `goOn`.
   */
  enter(credits: readonly StreamCredit[], signal: AbortSignal | undefined): Promise<OpeningTurn | undefined> {
    const awaited = credits.length > 0 ? credits : [UNLIMITED];
    const others = credits.length > 1;
    const stalled = new Set(credits.filter((credit) => others && credit.stalled));
    if (stalled.size === credits.length) stalled.clear();
    return new Promise((resolve) => {
      const waiter: Waiter = {
        credits,
        stalled,
        admit: (turn) => {
          leave?.();
          this.#waiters.delete(waiter);
          for (const credit of awaited) this.#count(credit, -1);
          if (turn !== undefined) this.#admitted++;
          resolve(turn);
        },
      };
      const giveUp = (): void => {
        waiter.admit(undefined);
        this.wake();
      };
      const leave = signal && onAbort(signal, giveUp);
      this.#waiters.add(waiter);
      for (const credit of awaited) this.#count(credit, 1);
      this.wake();
      if (this.#closed && this.#waiters.has(waiter)) waiter.admit(undefined);
    });
  }

  /** A send with a turn opens its stream now. */
  goOn(): void {
    this.#admitted--;
    this.wake();
  }

  /**
   * Admits the first send whose receivers have credit; the next one when that goes on. A send that cannot go lets none pass that waits for
   * the same receiver.
   */
  wake(): void {
    if (this.#waiters.size === 0) return this.#watch(new Set());
    if (this.#isPaused || this.#admitted > 0) return;
    if (shouldYield()) return this.#pause();
    const blocked = new Set<StreamCredit>();
    for (const waiter of this.#waiters) {
      if (blocked.size >= this.#waited.size) break;
      const needed = waiter.credits.filter((credit) => !waiter.stalled.has(credit));
      const lacking = needed.filter((credit) => !credit.available || blocked.has(credit));
      for (const credit of lacking) blocked.add(credit);
      if (lacking.length > 0 || this.#closed) continue;
      for (const credit of needed) credit.take();
      waiter.admit({ credits: needed, stalled: waiter.stalled });
      return;
    }
    this.#watch(blocked);
  }

  #pause(): void {
    this.#isPaused = true;
    void yieldToEventLoop().then(() => {
      this.#isPaused = false;
      this.wake();
    });
  }

  /** Gives back the credit of a send whose stream is not opened after all. */
  leave(credits: readonly StreamCredit[]): void {
    for (const credit of credits) credit.giveBack();
    this.wake();
  }

  close(): void {
    this.#closed = true;
    for (const waiter of [...this.#waiters]) waiter.admit(undefined);
    this.#watch(new Set());
  }

  /** Runs the stall timer while sends wait for a receiver; restarts it when the receiver accepts more. */
  #watch(blocked: ReadonlySet<StreamCredit>): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (blocked.size === 0) return;
    const now = this.#clock.now();
    let first = Infinity;
    for (const credit of blocked) {
      credit.waitingSince ??= now;
      first = Math.min(first, credit.waitingSince + this.#stallTimeout);
    }
    if (first === Infinity) return;
    this.#timer = this.#clock.setTimeout(() => this.#sweep(), Math.max(0, first - now));
  }

  #sweep(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    for (const waiter of [...this.#waiters]) {
      for (const credit of waiter.credits) {
        if (credit.available || (credit.waitingSince ?? now) + this.#stallTimeout > now) continue;
        credit.stalled = true;
        waiter.stalled.add(credit);
      }
      if (waiter.stalled.size === waiter.credits.length) waiter.admit({ credits: [], stalled: waiter.stalled });
    }
    this.wake();
  }

  #count(credit: StreamCredit, change: 1 | -1): void {
    const count = (this.#waited.get(credit) ?? 0) + change;
    if (count > 0) return void this.#waited.set(credit, count);
    this.#waited.delete(credit);
    credit.waitingSince = undefined;
  }
}
