import process from "node:process";
import { type EndingSignal, EXIT, interruptedBy } from "./failure.ts";

/** npm and others pass on a Ctrl-C that the terminal has sent here as well: within so many milliseconds it is the same one. */
const SAME_SIGNAL = 300;

/** Milliseconds for aborting, clearing away and leaving the room; a process that ends without having left is missed much later. */
const PATIENCE = 5_000;

export interface SignalHandlers {
  readonly signal: AbortSignal;
  readonly interrupt: () => void;
  /** Gives the signals back, for a process that lives on. */
  readonly release: () => void;
}

/** The first Ctrl-C ends what is under way, in good order; the second ends the process. */
export function handleSignals(): SignalHandlers {
  const controller = new AbortController();
  let first = 0;
  let overdue: ReturnType<typeof setTimeout> | undefined;
  const interrupt = (signal: EndingSignal): void => {
    if (!controller.signal.aborted) {
      first = performance.now();
      controller.abort(interruptedBy(signal));
      overdue = setTimeout(() => process.exit(EXIT[signal]), PATIENCE);
      overdue.unref();
    } else if (performance.now() - first > SAME_SIGNAL) {
      process.exit(EXIT[signal]);
    }
  };
  const onInt = (): void => interrupt("SIGINT");
  const onTerm = (): void => interrupt("SIGTERM");
  process.on("SIGINT", onInt);
  process.on("SIGTERM", onTerm);
  return {
    signal: controller.signal,
    interrupt: onInt,
    release: () => {
      clearTimeout(overdue);
      process.off("SIGINT", onInt);
      process.off("SIGTERM", onTerm);
    },
  };
}
