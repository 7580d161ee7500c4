// The library's suites in a page by plain HTTP from another host: no crypto.subtle, no randomUUID, no shared memory.
// needs: chromium
import { insecureSuite } from "../support/browser/hub_suites.ts";

const test = await insecureSuite("a page without a secure context");

test.run();
