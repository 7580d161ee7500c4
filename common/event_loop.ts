// Long work on this thread calls `shouldYield()` between steps, and awaits `yieldToEventLoop()` when that returns true.
import { callNextTurn } from "./platform.ts";

/**
 * Length of a time slice, in ms. No hold may exceed 5 ms: a slice of 1 ms leaves room for its last step, for garbage collection, and for
 * another user's slice in the same turn.
 */
export const SLICE_MS = 1;

let sliceStarted = 0;
let armed = false;
let longest = 0;

/** Longest turn of the event loop so far from the first step of long work to the turn's end, in ms. Other work of the turn counts too. */
export function longestTurn(): number {
  return longest;
}

/**
 * Whether the time slice of this turn of the event loop is used up. All work shares one slice, as a thousand short steps would hold the
 * loop together.
 */
export function shouldYield(): boolean {
  const now = performance.now();
  if (!armed) {
    armed = true;
    sliceStarted = now;
    callNextTurn(rearm); // the next turn starts a new slice
    return false;
  }
  return now - sliceStarted > SLICE_MS;
}

function rearm(): void {
  armed = false;
  longest = Math.max(longest, performance.now() - sliceStarted);
}

/** Resolves in a later turn of the event loop, after due timers and I/O. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => void callNextTurn(resolve));
}
