import { isThenable } from "../../protocol/realms.ts";

/** Calls what a user gave to be told by. What it throws, or rejects with, goes to `failed` and nowhere else. */
export function tell(call: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = call();
    if (isThenable(result)) result.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}
