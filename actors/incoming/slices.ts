// Work that one packet asks for beyond what its own turn of the event loop gives it: those who wait go on in turns, a step each.
import { shouldYield, yieldToEventLoop } from "../../common/event_loop.ts";

/** Does a step; false when nothing is left. */
export type Step = () => boolean;

const waiting = new Set<Step>();
let isRunning = false;

/** Goes on with a step in later turns, until it says that nothing is left. */
export function goOn(step: Step): void {
  waiting.add(step);
  if (!isRunning) void run();
}

/** Forgets a step. */
export function leave(step: Step): void {
  waiting.delete(step);
}

async function run(): Promise<void> {
  isRunning = true;
  while (waiting.size > 0) {
    await yieldToEventLoop();
    for (const step of waiting) {
      waiting.delete(step);
      if (step()) waiting.add(step); // at the end: the others have their turn first
      if (shouldYield()) break;
    }
  }
  isRunning = false;
}
