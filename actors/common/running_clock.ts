// Time in which this process ran. A process that is stopped, by a debugger, a signal or a closed laptop, hears nothing of the others
// meanwhile: that is no silence of theirs.
import { repeat } from "../../common/platform.ts";
import type { Clock } from "../../common/clock.ts";

/** Milliseconds between two looks at the time. */
const HEARTBEAT = 500;

/** Milliseconds between looks beyond which the process did not run: no event loop that works is held as long. */
const GAP = 2_000;

/** Runs a function again and again, and does not keep the process; returns the call that ends it. For tests it is a parameter. */
export type Heartbeat = (look: () => void, ms: number) => () => void;

interface Waiting {
  timer: unknown;
}

/** A clock that stands still while the process does. Its timers fire when they are due by it. */
export function runningClock(base: Required<Clock>, heartbeat: Heartbeat = repeat): Required<Clock> {
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

  /** The time is watched for as long as somebody waits. */
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
      if (due - now() >= 1) return wait(waiting, fn, due); // it came due while the process did not run
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
