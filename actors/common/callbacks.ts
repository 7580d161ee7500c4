import { StreamError } from "../../errors.ts";
import { isThenable } from "../../common/realms.ts";

/** Calls a user's callback. Its exception or rejection goes to `failed` only. */
export function tell(call: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = call();
    if (isThenable(result)) result.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

/** Reason told to receivers if a source fails. Its own error may hold a key, a path or a prompt, and stays with the caller. */
export const SOURCE_FAILED = "the source failed";

/** Reason told to the sender if the destination of a pipe fails. */
export const DESTINATION_FAILED = "the destination failed";

/**
 * Text for the other end of the reason with which a web stream was cancelled or aborted: a text, or a StreamError's own. Another error, as
 * `pipeTo` gives it, counts as `failed`.
 */
export function reasonText(reason: unknown, failed: string): string | undefined {
  if (reason === undefined || typeof reason === "string") return reason;
  return reason instanceof StreamError && reason.reason !== undefined ? reason.reason : failed;
}
