// A page of Firefox behind another tab: its timers fire once a second.
// needs: firefox, puppeteer-core
import { Firefox } from "../support/browser/firefox.ts";
import { slowed } from "../support/browser/test_browser.ts";
import { suite } from "../support/harness.ts";
import { keepsItsRate } from "../support/pages/hidden_of.ts";

const test = suite("hidden pages of Firefox");

test("createHub(): streams of a page whose timers fire once a second keep their rate, and none ends by a time-out", async () => {
  await using firefox = await Firefox.start();
  await keepsItsRate(firefox, slowed);
}, { seconds: 120 });

test.run();
