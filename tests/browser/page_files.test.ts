// Files in a page, with shared memory and without.
// needs: chromium
import * as assert from "uvu/assert";
import { suiteOfPage } from "../support/browser/hub_suites.ts";

const tests = [];
for (const isolated of [true, false]) {
  const title = isolated ? "isolated, with files" : "not isolated, with files";
  tests.push(
    await suiteOfPage(title, { entries: ["tests/browser/pages/files.ts"], isolated }, async (page) => {
      assert.is(await page.evaluate(() => crossOriginIsolated), isolated);
    }),
  );
}
for (const test of tests) test.run();
