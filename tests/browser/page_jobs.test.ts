// Codecs, workers, compression and actors in a page, with shared memory and without.
// needs: chromium
import * as assert from "uvu/assert";
import { suiteOfPage } from "../support/browser/hub_suites.ts";

const tests = [];
for (const isolated of [true, false]) {
  const title = isolated ? "isolated, with jobs" : "not isolated, with jobs";
  tests.push(
    await suiteOfPage(
      title,
      { entries: ["tests/browser/pages/codec.ts", "tests/browser/pages/workers.ts"], isolated },
      async (page) => {
        assert.is(await page.evaluate(() => crossOriginIsolated), isolated);
      },
    ),
  );
}
for (const test of tests) test.run();
