/** Milliseconds between two looks at the clock. */
const INTERVAL = 5;

/**
 * Finds out how long the event loop was held meanwhile, in milliseconds: by how much a timer of 5 ms came late, at the longest. It means
 * the same on all runtimes, unlike their own measures.
 */
export async function probed<T>(work: () => Promise<T>): Promise<{ result: T; longestHold: number }> {
  let last = performance.now();
  let longestHold = 0;
  const look = (): void => {
    const now = performance.now();
    longestHold = Math.max(longestHold, now - last - INTERVAL);
    last = now;
  };
  const timer = setInterval(look, INTERVAL);
  try {
    const result = await work();
    look();
    return { result, longestHold };
  } finally {
    clearInterval(timer);
  }
}
