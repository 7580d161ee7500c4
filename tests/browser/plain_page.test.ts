// The library's suites in a page without shared memory, as most pages are.
// needs: chromium
import * as assert from "uvu/assert";
import { BYTE_SUITES, suiteOfPage } from "../support/browser/hub_suites.ts";

const test = await suiteOfPage("a page without isolation", { entries: BYTE_SUITES }, async (page) => {
  assert.equal(await page.evaluate(() => [crossOriginIsolated, typeof SharedArrayBuffer, isSecureContext]), [
    false,
    "undefined",
    true,
  ]);
});

test.run();
