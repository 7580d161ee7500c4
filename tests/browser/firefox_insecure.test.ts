// The library's suites in a page of Firefox by plain HTTP from another host: no crypto.subtle, no randomUUID, no shared memory.
// needs: firefox, puppeteer-core
import * as assert from "uvu/assert";
import { Firefox } from "../support/browser/firefox.ts";
import { BYTE_SUITES, suiteOfPage } from "../support/browser/hub_suites.ts";

const entries = [...BYTE_SUITES, "tests/browser/pages/codec.ts"];
const test = await suiteOfPage(
  "a page of Firefox without a secure context",
  { entries, secure: false },
  async (page) => {
    assert.equal(
      await page.evaluate(() => [isSecureContext, typeof crypto.subtle, typeof crypto.randomUUID, typeof SharedArrayBuffer]),
      [false, "undefined", "undefined", "undefined"],
    );
  },
  () => Firefox.start(),
);

test.run();
