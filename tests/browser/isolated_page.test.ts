// The library's suites in a page with shared memory, under the strictest content security policy that leaves it a module and a worker.
// needs: chromium
import * as assert from "uvu/assert";
import { suiteOfPage, SUITES } from "../support/browser/hub_suites.ts";
import { STRICT_POLICY } from "../support/browser/site.ts";

const test = await suiteOfPage("an isolated page", {
  entries: ["tests/support/browser/policy_probe.ts", ...SUITES],
  isolated: true,
  policy: STRICT_POLICY,
}, async (page) => {
  assert.is(await page.evaluate(() => crossOriginIsolated), true);
  assert.is(await page.evaluate(() => globalThis.hasRunInline), undefined);
});

test.run();
