// The library's suites in a page of Firefox by plain HTTP from another host: no crypto.subtle, no randomUUID, no shared memory.
// needs: firefox, puppeteer-core
import { Firefox } from "../support/browser/firefox.ts";
import { insecureSuite } from "../support/browser/hub_suites.ts";

const test = await insecureSuite("a page of Firefox without a secure context", () => Firefox.start());

test.run();
