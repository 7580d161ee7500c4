// The library's suites in a page without shared memory, as most pages are.
// needs: chromium
import * as assert from "uvu/assert";
import { BYTE_SUITES, runInPage } from "../support/browser/hub_suites.ts";

await runInPage("a page without isolation", { entries: BYTE_SUITES }, async (page) => {
  assert.equal(await page.evaluate(() => [crossOriginIsolated, typeof SharedArrayBuffer, isSecureContext]), [
    false,
    "undefined",
    true,
  ]);
});
