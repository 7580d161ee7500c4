/** Waits until something is so. The test's own limit ends the wait. */
export async function until(test: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await test())) await pause(1);
}

/** Lets real time pass, for tests that something does not happen. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
