// Calls whose work the browser's own threads do. Firefox drops that work when the page goes to the back/forward cache.

/** Calls that have not settled, to be made again. */
const unsettled = new Set<() => void>();
let isListening = false;

/** Makes a call, and makes it again when the page comes back from the back/forward cache. The first result counts. */
export function repeatedIfDropped<T>(call: () => Promise<T>): Promise<T> {
  if (typeof document === "undefined") return call(); // a worker is not told
  listen();
  return new Promise((resolve, reject) => {
    const settle = (settled: () => void): void => {
      unsettled.delete(attempt);
      settled();
    };
    const attempt = (): void => {
      call().then((value) => settle(() => resolve(value)), (error: unknown) => settle(() => reject(error)));
    };
    unsettled.add(attempt);
    attempt();
  });
}

/** Listens for the rest of the page's life, from the first call on. */
function listen(): void {
  if (isListening) return;
  isListening = true;
  globalThis.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) { for (const attempt of [...unsettled]) attempt(); }
  });
}
