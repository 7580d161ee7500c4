// Work of one packet that exceeds a turn of the event loop, in steps. Streams with such work take turns.
import { shouldYield, yieldToEventLoop } from "./event_loop.ts";

/** A step of work; false when nothing is left. */
export type Step = () => boolean;

const waiting = new Set<Step>();
let isRunning = false;

/** Repeats a step in later turns of the event loop, until it returns false. */
export function goOn(step: Step): void {
  waiting.add(step);
  if (!isRunning) void run();
}

/** Removes a step. */
export function leave(step: Step): void {
  waiting.delete(step);
}

async function run(): Promise<void> {
  isRunning = true;
  while (waiting.size > 0) {
    await yieldToEventLoop();
    for (const step of waiting) {
      waiting.delete(step);
      if (step()) waiting.add(step); // at the end, behind the others
      if (shouldYield()) break;
    }
  }
  isRunning = false;
}
