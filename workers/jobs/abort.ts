import { inBrackets, StreamError } from "../../errors.ts";

/** Error of a job that its caller gave up. */
export function abandoned(signal: AbortSignal): StreamError {
  return new StreamError("aborted", `Cannot finish the job as it was aborted${inBrackets(signal.reason)}`, {
    cause: signal.reason,
  });
}
