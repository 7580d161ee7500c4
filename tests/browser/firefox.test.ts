// The library's suites in a page of Firefox without shared memory.
// needs: firefox, puppeteer-core
import * as assert from "uvu/assert";
import { Firefox } from "../support/browser/firefox.ts";
import { FIREFOX_SUITES, suiteOfPage } from "../support/browser/hub_suites.ts";

const test = await suiteOfPage(
  "a page of Firefox",
  { entries: FIREFOX_SUITES },
  async (page) => {
    assert.is(await page.evaluate(() => crossOriginIsolated), false);
  },
  () => Firefox.start(),
);

test.run();
