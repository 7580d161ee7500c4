import { isError, isThenable } from "../../common/realms.ts";

/** Calls a user's callback. Its exception or rejection goes to `failed` only. */
export function tell(call: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = call();
    if (isThenable(result)) result.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

/** Text of the reason with which a web stream was cancelled or aborted. */
export function reasonText(reason: unknown): string | undefined {
  return isError(reason) ? reason.message : typeof reason === "string" ? reason : undefined;
}
