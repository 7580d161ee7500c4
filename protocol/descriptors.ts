// A process may hold so many files open, and others in it need theirs: short work on files takes turns, and waits where none is left.
import { pause } from "./clock.ts";

/** Files that this thread's short work holds open at once. Many systems allow a process 256. */
const MOST_OPEN = 64;

/** Milliseconds that work waits at most for others to close files. */
const MOST_WAIT = 30_000;

/** Longest pause between two attempts, in milliseconds. */
const LONGEST_PAUSE = 200;

/** Error codes of a process or machine that may open no more files. */
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
    else next(); // it takes over this one's place
  };
}

/** Tries again what rejects as no descriptor is left, for half a minute. */
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

/** Tries again what has the code of a shortage, for half a minute and as long as it is wanted. The last result. */
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
