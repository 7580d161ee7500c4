// The library's suites in pages of Firefox, with shared memory and without.
// needs: firefox, puppeteer-core
import * as assert from "uvu/assert";
import { Firefox } from "../support/browser/firefox.ts";
import { BYTE_SUITES, suiteOfPage } from "../support/browser/hub_suites.ts";

const ENTRIES: readonly string[] = [
  ...BYTE_SUITES,
  "tests/browser/pages/codec.ts",
  "tests/browser/pages/files.ts",
  "tests/browser/pages/workers.ts",
];

const tests = [];
for (const isolated of [true, false]) {
  const title = `${isolated ? "isolated" : "not isolated"}, in Firefox`;
  const check = async (page: { evaluate(call: () => boolean): Promise<boolean> }): Promise<void> =>
    assert.is(await page.evaluate(() => crossOriginIsolated), isolated);
  tests.push(await suiteOfPage(title, { entries: ENTRIES, isolated }, check, () => Firefox.start()));
}
for (const test of tests) test.run();
