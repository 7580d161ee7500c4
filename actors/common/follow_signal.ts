import { onAbort } from "../../common/abort.ts";

/** Aborts a controller when a signal does, or has, with the same reason. The returned call ends that. */
export function followSignal(controller: AbortController, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => {};
  const abort = (): void => controller.abort(signal.reason);
  if (signal.aborted) abort();
  return onAbort(signal, abort);
}
