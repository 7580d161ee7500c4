// One listener for each signal, whatever number of streams and jobs it ends: Node warns of a leak at the eleventh.

interface Listener {
  readonly calls: Set<() => void>;
  readonly listen: () => void;
}

const listeners = new WeakMap<AbortSignal, Listener>();

/**
 * Has `call` made when the signal aborts. The returned function takes that back; with its last call, a signal loses its listener.
 * A signal that was aborted before calls nothing.
 */
export function onAbort(signal: AbortSignal, call: () => void): () => void {
  const listener = listeners.get(signal) ?? listenTo(signal);
  const own = (): void => call(); // the same function may be given twice
  listener.calls.add(own);
  return () => {
    listener.calls.delete(own);
    if (listener.calls.size === 0) stop(signal, listener);
  };
}

function listenTo(signal: AbortSignal): Listener {
  const calls = new Set<() => void>();
  const listener: Listener = {
    calls,
    listen: () => {
      stop(signal, listener);
      for (const call of [...calls]) if (calls.has(call)) call(); // one may take back another
    },
  };
  listeners.set(signal, listener);
  signal.addEventListener("abort", listener.listen);
  return listener;
}

function stop(signal: AbortSignal, listener: Listener): void {
  signal.removeEventListener("abort", listener.listen);
  if (listeners.get(signal) === listener) listeners.delete(signal);
}

/** Settles as the work does, or resolves with undefined once one of the signals has aborted. */
export async function unlessAborted<T>(work: Promise<T>, signals: readonly (AbortSignal | undefined)[]): Promise<T | undefined> {
  work.catch(() => {}); // after an abort its failure has no listener
  const given = signals.filter((signal) => signal !== undefined);
  if (given.some((signal) => signal.aborted)) return undefined;
  let leave: (() => void)[] = [];
  const aborted = new Promise<undefined>((resolve) => {
    leave = given.map((signal) => onAbort(signal, () => resolve(undefined)));
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    for (const one of leave) one();
  }
}
