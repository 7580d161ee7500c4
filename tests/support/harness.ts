// uvu with a time limit around each test, and failures that lead to the fault. A promise that never settles fails its test by name.
import "../../common/platforms/node.ts"; // tests of single modules load no entry, which would install it
import { suite as uvuSuite } from "uvu";

/** A test's own limit, in seconds, unless it asks for more. */
const DEFAULT_SECONDS = 20;

/** Characters of a failure's text shown from its start, and from its end: a counterexample can be long. */
const SHOWN_HEAD = 1_200;
const SHOWN_TAIL = 600;

export interface Suite {
  (name: string, body: () => void | Promise<void>, options?: { seconds?: number }): void;
  /** Runs when the last test is done, passed or failed. If it fails, the whole file has failed. */
  after(body: () => Promise<void>): void;
  /** Runs the declared tests: the last line of a test file. */
  run(): void;
}

/** Descriptions of the running test's fixtures. */
const fixtures = new Set<() => string>();

/** Registers a description of a fixture, for the message of a test that takes too long. Returns a call that removes the description. */
export function describeWhenLate(describe: () => string): () => void {
  fixtures.add(describe);
  return () => void fixtures.delete(describe);
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
    timer = setTimeout(() => {
      const states = [...fixtures].map((describe) => `\n${describe()}`);
      reject(new Error(`Test took longer than ${seconds} s: "${test}"${states.join("")}`));
    }, seconds * 1000);
  });
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on("unhandledRejection", note); // without it the process ends, and the failure that came first is never told
  try {
    await Promise.race([body(), late]);
    await new Promise<void>((resolve) => void setImmediate(resolve));
  } catch (error) {
    throw shortened(error);
  } finally {
    clearTimeout(timer);
    fixtures.clear();
    process.off("unhandledRejection", note);
  }
  if (unhandled.length > 0) throw new Error("A rejection was not handled", { cause: shortened(unhandled[0]) });
}

/** The same error, with long texts cut in the middle. */
function shortened(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  for (const key of ["message", "details"] as const) {
    const text: unknown = Reflect.get(error, key);
    if (typeof text !== "string" || text.length <= SHOWN_HEAD + SHOWN_TAIL) continue;
    const left = text.length - SHOWN_HEAD - SHOWN_TAIL;
    const value = `${text.slice(0, SHOWN_HEAD)}\n… ${left} characters are left out …\n${text.slice(-SHOWN_TAIL)}`;
    Reflect.defineProperty(error, key, { value, writable: true, configurable: true });
    // The stack holds the message once more.
    if (key === "message") {
      error.stack = `${error.name}: ${value}\n${
        (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)).join("\n")
      }`;
    }
  }
  return error;
}
