// Tests that run in a page, declared as tests of this process: one each, with its own name, limit and failure.
import type { Suite } from "../harness.ts";
import type { TestPage } from "./test_browser.ts";

/** A test of a page. */
export interface PageTest {
  readonly name: string;
  readonly seconds: number;
}

/** Tests of a page, as `globalThis.pageTests`. */
export interface PageTests {
  readonly tests: readonly PageTest[];
  /** Runs a test. Resolves with its failure's text. */
  run(index: number): Promise<string | undefined>;
  /** Describes the fixtures of a test that takes too long. */
  describe(): string;
}

declare global {
  var pageTests: PageTests;
}

/** Declares the tests of a loaded page, except those whose names match one of `but`. */
export async function declarePageTests(test: Suite, page: TestPage, but: readonly RegExp[] = []): Promise<void> {
  const tests = await page.evaluate(() => globalThis.pageTests.tests);
  tests.forEach(({ name, seconds }, index) => {
    if (but.some((pattern) => pattern.test(name))) return;
    test(name, async () => {
      const late = setTimeout(() => {
        page.evaluate(() => globalThis.pageTests.describe()).then(console.error, console.error);
      }, seconds * 1_000 - 500);
      try {
        const failure = await page.evaluate((at) => globalThis.pageTests.run(at), index);
        if (failure !== undefined) throw new Error(failure);
      } finally {
        clearTimeout(late);
      }
    }, { seconds });
  });
}
