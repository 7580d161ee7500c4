// Turns at file descriptors: a process may hold only some hundreds, and the rest of the program needs its own.
import { pause } from "./clock.ts";

/** Most files that this module holds open at once. Many systems allow a process 256. */
const MOST_OPEN = 64;

/** Longest wait for others to close files, in ms. */
const MOST_WAIT = 30_000;

/** Longest pause between two attempts, in milliseconds. */
const LONGEST_PAUSE = 200;

/** Error codes of a process or machine without free descriptors. */
const SHORT: ReadonlySet<string | undefined> = new Set(["EMFILE", "ENFILE"]);

const waiting: (() => void)[] = [];
let open = 0;

/** Does work that opens a file and closes it again, when a descriptor may be used. Where none is left, the work is tried again. */
export async function withDescriptor<T>(work: () => Promise<T>): Promise<T> {
  const giveBack = await takeDescriptor();
  try {
    return await whileShort(work);
  } finally {
    giveBack();
  }
}

/** Waits until a descriptor may be used. Returns the call that gives it back. */
export async function takeDescriptor(): Promise<() => void> {
  if (open >= MOST_OPEN) await new Promise<void>((resolve) => waiting.push(resolve));
  else open++;
  return () => {
    const next = waiting.shift();
    if (next === undefined) open--;
    else next(); // takes over this descriptor
  };
}

/** Repeats work that rejects for want of a descriptor, for half a minute. */
export async function whileShort<T>(work: () => Promise<T>): Promise<T> {
  const attempt = async (): Promise<{ value: T } | { error: unknown }> => {
    try {
      return { value: await work() };
    } catch (error) {
      return { error };
    }
  };
  const end = await retried(
    attempt,
    (result) => "error" in result ? (result.error as { code?: string } | null)?.code : undefined,
  );
  if ("error" in end) throw end.error;
  return end.value;
}

/** Repeats an attempt whose result has the code of a shortage, for half a minute or until the signal aborts. Returns the last result. */
export async function retried<T>(
  attempt: () => Promise<T>,
  codeOf: (result: T) => string | undefined,
  signal?: AbortSignal,
): Promise<T> {
  for (let waited = 0, ms = 5;; waited += ms, ms = Math.min(2 * ms, LONGEST_PAUSE)) {
    const result = await attempt();
    if (!SHORT.has(codeOf(result)) || waited >= MOST_WAIT || signal?.aborted === true) return result;
    await pause(ms, signal);
  }
}
