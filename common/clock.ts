import { onAbort } from "./abort.ts";

/**
 * Time and timers, in the shape of xstate's `Clock`, so that one simulated clock drives actors, pumps and links alike. Without `now`
 * the clock counts as running with the system's time.
 */
export interface Clock {
  /** Calls `fn` once after `ms` milliseconds; never, if that is `Infinity`. Returns a handle for `clearTimeout`. */
  setTimeout(fn: () => void, ms: number): unknown;
  /** Cancels a call; anything but a pending handle is ignored. */
  clearTimeout(id: unknown): void;
  /** Milliseconds since some fixed moment. */
  now?(): number;
}

/** Longest delay a runtime's own timer takes, in milliseconds: 2³¹ − 1. A longer one fires at once. */
export const MAX_TIMER_DELAY_MS = 2_147_483_647;

/** A timer, restarted as often as its delay needs. */
interface Waiting {
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** The engine's timers, for any delay: `Infinity` is never, and delays over 24 days are split. */
export const systemClock: Required<Clock> = {
  setTimeout(fn: () => void, ms: number): unknown {
    const waiting: Waiting = { timer: undefined };
    if (ms !== Infinity) wait(waiting, fn, ms);
    return waiting;
  },
  clearTimeout(id: unknown): void {
    clearTimeout((id as Waiting | undefined)?.timer);
  },
  now(): number {
    return performance.now();
  },
};

/** Resolves after `ms` milliseconds of real time, or when the signal aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  let leave: (() => void) | undefined;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    leave = signal && onAbort(signal, () => {
      clearTimeout(timer);
      resolve();
    });
  });
  leave?.();
}

/** Settles as the work does, or resolves with undefined once `ms` milliseconds have passed. */
export async function within<T>(ms: number, work: Promise<T>, clock: Clock): Promise<T | undefined> {
  let timer: unknown;
  const late = new Promise<undefined>((resolve) => {
    timer = clock.setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clock.clearTimeout(timer);
  }
}

/** The clock's time in milliseconds; the system's, if the clock has none. */
export function nowOf(clock: Clock): number {
  return clock.now?.() ?? performance.now();
}

function wait(waiting: Waiting, fn: () => void, ms: number): void {
  waiting.timer = ms > MAX_TIMER_DELAY_MS
    ? setTimeout(() => wait(waiting, fn, ms - MAX_TIMER_DELAY_MS), MAX_TIMER_DELAY_MS)
    : setTimeout(fn, ms);
}
