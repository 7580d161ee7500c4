import { StreamError } from "../errors.ts";

/** What is to be called for each signal: Node warns of a leak at the eleventh listener of one, and a stream has more jobs than that. */
const calls = new WeakMap<AbortSignal, Set<() => void>>();

/** Has `call` made when the signal aborts, by one listener a signal. The returned function takes that back. */
export function onAbort(signal: AbortSignal, call: () => void): () => void {
  const set = calls.get(signal) ?? listen(signal);
  set.add(call);
  return () => void set.delete(call);
}

function listen(signal: AbortSignal): Set<() => void> {
  const set = new Set<() => void>();
  calls.set(signal, set);
  signal.addEventListener("abort", () => set.forEach((call) => call()), { once: true });
  return set;
}

/** What a job that its caller gave up rejects with. */
export function abandoned(signal: AbortSignal): StreamError {
  const reason: unknown = signal.reason;
  const text = reason instanceof Error ? reason.message : String(reason);
  return new StreamError("aborted", `Cannot finish the job as it was aborted: reason is "${text}"`, { cause: reason });
}
