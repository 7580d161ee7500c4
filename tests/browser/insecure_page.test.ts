// The library's suites in a page by plain HTTP from another host: no crypto.subtle, no randomUUID, no shared memory.
// needs: chromium
import * as assert from "uvu/assert";
import { BYTE_SUITES, suiteOfPage } from "../support/browser/hub_suites.ts";

const entries = [...BYTE_SUITES, "tests/browser/pages/codec.ts"];
const test = await suiteOfPage("a page without a secure context", { entries, secure: false }, async (page) => {
  assert.equal(
    await page.evaluate(() => [isSecureContext, typeof crypto.subtle, typeof crypto.randomUUID, typeof SharedArrayBuffer]),
    [false, "undefined", "undefined", "undefined"],
  );
});

test.run();
