// Long work on this thread asks `shouldYield()` between its steps, and awaits `yieldToEventLoop()` when it is true.
import { callNextTurn } from "./platform.ts";

/**
 * How long work may go on without giving the event loop back, in milliseconds. The promise to users is that no hold is longer than
 * 5 ms; a slice of 1 leaves room for the step that crosses it, for garbage collection, and for a second party's slice in the same turn.
 */
export const SLICE_MS = 1;

let sliceStarted = 0;
let armed = false;

/**
 * Whether this turn of the event loop has been used up. One slice is shared by all who ask: a thousand streams that are each well
 * behaved must not hold the loop together.
 */
export function shouldYield(): boolean {
  const now = performance.now();
  if (!armed) {
    armed = true;
    sliceStarted = now;
    callNextTurn(rearm); // the loop came round: whoever asks next starts a new slice
    return false;
  }
  return now - sliceStarted > SLICE_MS;
}

function rearm(): void {
  armed = false;
}

/** Resolves in a later turn of the event loop, after timers and I/O that are due had theirs. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => void callNextTurn(resolve));
}
