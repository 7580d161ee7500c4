import { StreamError } from "../../errors.ts";
import { isRecord } from "../../common/shapes.ts";
import { show } from "../../protocol/options.ts";
import { ErrorLog } from "../../actors/runtime/error_log.ts";
import type { Runtime } from "../../actors/runtime/runtime.ts";

/** Called with errors that a session must not fail of. */
export type OnError = (error: StreamError) => void;

/** Reports of errors that a session must not fail of: to the user's function, or as a line on stderr, one per code and second. */
export function reporter(onError: OnError | undefined, action: string): (error: unknown) => void {
  const log = new ErrorLog({ now: () => performance.now() });
  return (error) => {
    const known = error instanceof StreamError
      ? error
      : new StreamError("transport", `Cannot ${action}: ${String(error)}`, { cause: error });
    if (onError === undefined) return log.note(known, {});
    try {
      onError(known);
    } catch (thrown) {
      log.note(
        new StreamError("transport", `Cannot report an error as "onError" threw: ${String(thrown)}`, { cause: known }),
        {},
      );
    }
  };
}

/** Throws "invalid-argument" unless the value is a runtime. */
export function assertRuntime(runtime: unknown, action: string): asserts runtime is Runtime {
  const isRuntime = isRecord(runtime) && typeof runtime["streamText"] === "function" &&
    typeof runtime["streamBytes"] === "function";
  if (isRuntime) return;
  throw new StreamError(
    "invalid-argument",
    `Cannot ${action}: expected a runtime of createRuntime or adoptJob, got ${show(runtime)}`,
  );
}
