/** Interval of the timer, in ms. */
const INTERVAL_MS = 5;

/** Measures the longest time that work blocked the event loop, in ms, by the lateness of a timer; that compares across runtimes. */
export async function probed<T>(work: () => Promise<T>): Promise<{ result: T; longestHold: number }> {
  let last = performance.now();
  let longestHold = 0;
  const check = (): void => {
    const now = performance.now();
    longestHold = Math.max(longestHold, now - last - INTERVAL_MS);
    last = now;
  };
  const timer = setInterval(check, INTERVAL_MS);
  try {
    const result = await work();
    check();
    return { result, longestHold };
  } finally {
    clearInterval(timer);
  }
}
