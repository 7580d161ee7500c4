import process from "node:process";
import { type EndingSignal, EXIT, interruptedBy } from "./failure.ts";

/** Time in which a second Ctrl-C is the same one, in ms. npm passes on a Ctrl-C that the terminal has sent here too. */
const SAME_SIGNAL_MS = 300;

/** Time to abort transfers, remove parts and leave the room, in ms. The server notices a process that did not leave much later. */
const CLEANUP_TIMEOUT_MS = 5_000;

/** Handlers of SIGINT and SIGTERM. */
export interface SignalHandlers {
  /** Signal that the first SIGINT or SIGTERM aborts; its reason is a Failure. */
  readonly signal: AbortSignal;
  /** Aborts the signal, like Ctrl-C. */
  readonly interrupt: () => void;
  /** Removes the handlers. */
  readonly release: () => void;
}

/** Handles signals: the first Ctrl-C aborts open transfers, the second ends the process. */
export function handleSignals(): SignalHandlers {
  const controller = new AbortController();
  let firstAt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const interrupt = (signal: EndingSignal): void => {
    if (!controller.signal.aborted) {
      firstAt = performance.now();
      controller.abort(interruptedBy(signal));
      timer = setTimeout(() => process.exit(EXIT[signal]), CLEANUP_TIMEOUT_MS);
      timer.unref();
    } else if (performance.now() - firstAt > SAME_SIGNAL_MS) {
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
      clearTimeout(timer);
      process.off("SIGINT", onInt);
      process.off("SIGTERM", onTerm);
    },
  };
}
