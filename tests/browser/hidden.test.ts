// Pages of Chromium behind another tab: their timers fire once a second, and after minutes once a minute.
// needs: chromium
import { Chromium } from "../support/browser/chromium.ts";
import { slowed, type TestPage, timerDelays } from "../support/browser/test_browser.ts";
import { suite } from "../support/harness.ts";
import { keepsItsRate } from "../support/pages/hidden_of.ts";
import { pause, until } from "../support/waiting.ts";

/** Makes the browser slow a hidden page's timers to one a minute after 2 s, not 5 minutes. */
const EARLY = "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/2";

const test = suite("hidden pages");

test("createHub(): streams of a page whose timers fire once a second keep their rate, and none ends by a time-out", async () => {
  await using chromium = await Chromium.startWithHiddenTabs();
  await keepsItsRate(chromium, slowed);
}, { seconds: 120 });

test("createHub(): streams of a page whose timers fire once a minute keep their rate, and none ends by a time-out", async () => {
  await using chromium = await Chromium.startWithHiddenTabs([EARLY]);
  await keepsItsRate(chromium, (page) => until(() => isSlowedToMinutes(page)));
}, { seconds: 120 });

test.run();

/** Whether the timers take more than 3 s; the first of those a minute may come sooner. */
async function isSlowedToMinutes(page: TestPage): Promise<boolean> {
  return await Promise.race([timerDelays(page).then((delays) => Math.max(...delays) > 3_000), pause(5_500).then(() => true)]);
}
