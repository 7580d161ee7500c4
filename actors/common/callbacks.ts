import { isError, isThenable } from "../../common/realms.ts";

/** Calls what a user gave to be told by. What it throws, or rejects with, goes to `failed` and nowhere else. */
export function tell(call: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = call();
    if (isThenable(result)) result.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

/** The text of a web stream's reason for ending. */
export function reasonText(reason: unknown): string | undefined {
  return isError(reason) ? reason.message : typeof reason === "string" ? reason : undefined;
}
