// uvu with what it lacks: a time limit around each test, so that a promise that never settles is a failure with a name.
import { suite as uvuSuite } from "uvu";

/** A test's own limit, in seconds, unless it asks for more. */
const DEFAULT_SECONDS = 20;

export interface Suite {
  (name: string, body: () => void | Promise<void>, options?: { seconds?: number }): void;
  /** Runs when the last test is done, whatever came of it. Should it fail, the whole file has failed. */
  after(body: () => Promise<void>): void;
  /** Runs what was declared: the last line of a test file. */
  run(): void;
}

export function suite(name: string): Suite {
  const inner = uvuSuite(name);
  const declare = (test: string, body: () => void | Promise<void>, options: { seconds?: number } = {}): void => {
    inner(test, () => limited(`${name}: ${test}`, body, options.seconds ?? DEFAULT_SECONDS));
  };
  return Object.assign(declare, { after: (body: () => Promise<void>) => inner.after(body), run: () => inner.run() });
}

async function limited(test: string, body: () => void | Promise<void>, seconds: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Test took longer than ${seconds} s: "${test}"`)), seconds * 1000);
  });
  try {
    await Promise.race([body(), late]);
  } finally {
    clearTimeout(timer);
  }
}
