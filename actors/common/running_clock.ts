// Clock of the time in which this process ran. A process stopped by a debugger, a signal or a closed laptop receives nothing: that is no
// silence of the other participants.
import { platform } from "../../common/platform.ts";
import type { Clock } from "../../common/clock.ts";

/** Interval of the heartbeat, in ms. */
const HEARTBEAT = 500;

/** Interval above which the process counts as stopped, in ms: no working event loop is held as long. */
const GAP = 2_000;

/** Calls a function at intervals, without keeping the process. Returns the call that ends this. A parameter for tests. */
export type Heartbeat = (look: () => void, ms: number) => () => void;

interface Waiting {
  timer: unknown;
}

/** Makes a clock that stands still while the process is stopped. */
export function runningClock(
  base: Required<Clock>,
  heartbeat: Heartbeat = (look, ms) => platform().repeat(look, ms),
): Required<Clock> {
  let lost = 0;
  let lookedAt = 0;
  let pending = 0;
  let stop: (() => void) | undefined;

  function look(): void {
    const now = base.now();
    if (now - lookedAt > GAP) lost += now - lookedAt - HEARTBEAT;
    lookedAt = now;
  }

  function now(): number {
    if (stop !== undefined) look();
    return base.now() - lost;
  }

  /** Counts pending timers: the heartbeat runs while there are any. */
  function hold(change: 1 | -1): void {
    pending += change;
    if (pending > 0 && stop === undefined) {
      lookedAt = base.now();
      stop = heartbeat(look, HEARTBEAT);
    } else if (pending === 0) {
      stop?.();
      stop = undefined;
    }
  }

  function wait(waiting: Waiting, fn: () => void, due: number): void {
    waiting.timer = base.setTimeout(() => {
      if (due - now() >= 1) return wait(waiting, fn, due); // the process was stopped meanwhile
      waiting.timer = undefined;
      hold(-1);
      fn();
    }, Math.max(0, due - now()));
  }

  return {
    now,
    setTimeout: (fn, ms) => {
      if (ms === Infinity) return undefined;
      const waiting: Waiting = { timer: undefined };
      hold(1);
      wait(waiting, fn, now() + Math.max(0, ms || 0));
      return waiting;
    },
    clearTimeout: (id) => {
      const waiting = id as Waiting | undefined;
      if (waiting?.timer === undefined) return;
      base.clearTimeout(waiting.timer);
      waiting.timer = undefined;
      hold(-1);
    },
  };
}
