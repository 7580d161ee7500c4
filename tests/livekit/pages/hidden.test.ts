// needs: chromium
// A page of Chromium in a room behind another tab.
import { Chromium } from "../../support/browser/chromium.ts";
import { hiddenMembers } from "../../support/pages/hidden_of.ts";
import { NEWEST } from "../../support/pages/sdks.ts";

/** Makes the browser slow the timers of hidden pages to one a minute after 2 s, not 5 minutes, unless they have WebRTC. */
const EARLY = "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/2";

await hiddenMembers(NEWEST, () => Chromium.startWithHiddenTabs([EARLY]));
