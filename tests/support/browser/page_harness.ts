// The harness in a page: collects the tests, which the test's process calls by number. See `page_tests.ts`.
import "./page_globals.ts";
import "../../../common/platforms/browser.ts";
import type { Suite } from "../harness.ts";
import type { PageTest, PageTests } from "./page_tests.ts";

const tests: PageTest[] = [];
const bodies: (() => void | Promise<void>)[] = [];
const unhandled: unknown[] = [];
const fixtures = new Set<() => string>();

addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  unhandled.push(event.reason);
});

const pageTests: PageTests = {
  tests,
  async run(index) {
    unhandled.length = 0;
    try {
      await bodies[index]?.();
      await new Promise((resolve) => void setTimeout(resolve));
      if (unhandled.length > 0) throw unhandled[0];
      return undefined;
    } catch (error) {
      return textOf(error);
    } finally {
      fixtures.clear();
    }
  },
  describe: () => [...fixtures].map((describe) => `\n${describe()}`).join(""),
};

Object.assign(globalThis, { pageTests });

/** Registers a description of a fixture, for the message of a test that takes too long. */
export function describeWhenLate(describe: () => string): () => void {
  fixtures.add(describe);
  return () => void fixtures.delete(describe);
}

export function suite(name: string): Suite {
  const declare = (title: string, body: () => void | Promise<void>, { seconds = 20 }: { seconds?: number } = {}): void => {
    tests.push({ name: `${name}: ${title}`, seconds });
    bodies.push(body);
  };
  return Object.assign(declare, {
    after: (body: () => Promise<void>) => declare("the end of the suite", body),
    run: () => {},
  });
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { details, code } = error as { details?: unknown; code?: unknown };
  const cause = error.cause === undefined ? "" : `\ncause: ${textOf(error.cause)}`;
  return `${code === undefined ? "" : `${String(code)}: `}${error.stack ?? error.message}${
    typeof details === "string" ? details : ""
  }${cause}`;
}
