/** Calls what a user gave to be told by. What it throws, or rejects with, goes to `failed` and nowhere else. */
export function tell(call: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = call();
    if (result instanceof Promise) result.catch(failed);
  } catch (error) {
    failed(error);
  }
}
