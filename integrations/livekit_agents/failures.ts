import { StreamError } from "../../errors.ts";
import { ErrorLog } from "../../actors/runtime/error_log.ts";

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
