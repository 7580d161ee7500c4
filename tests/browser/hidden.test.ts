// Pages of Chromium behind another tab: their timers fire once a second, and after minutes once a minute.
// needs: chromium
import * as assert from "uvu/assert";
import type { Page } from "playwright-core";
import { Chromium, hide, timerDelays } from "../support/browser/chromium.ts";
import { suite } from "../support/harness.ts";
import { pause, until } from "../support/waiting.ts";
import type {} from "./pages/lingering.ts";

/** Makes the browser slow a hidden page's timers to one a minute after 2 s, not 5 minutes. */
const EARLY = "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/2";

/** Time over which a stream's rate is taken, in ms: more than the idle timeout of the page's streams. */
const MEASURED_MS = 4_000;

/** Least share of its rate that a stream has where its page is hidden. */
const LEAST_SHARE = 0.4;

/** Longest time of a text with its receipt, in ms: with timers that fire once a minute a single one would take longer. */
const TALK_MS = 3_000;

const test = suite("hidden pages");

for (
  const [title, flags, isSlowed] of [
    ["once a second", [], isSlowedToSeconds],
    ["once a minute", [EARLY], isSlowedToMinutes],
  ] as const
) {
  test(`createHub(): streams of a page whose timers fire ${title} keep their rate, and none ends by a time-out`, async () => {
    await using chromium = await Chromium.startWithHiddenTabs(flags);
    const page = await chromium.open({ entries: ["tests/browser/pages/lingering.ts"] });
    await page.waitForFunction("globalThis.lingering !== undefined");
    await page.evaluate(() => globalThis.lingering.begin({ line: false }));
    await until(async () => await receivedOf(page) > 1_000_000);
    const visible = await rateOf(page);
    await hide(page);
    await until(() => isSlowed(page));
    const hidden = await rateOf(page);
    assert.ok(hidden >= LEAST_SHARE * visible, `${hidden} bytes hidden, ${visible} before`);
    const { sent, received, confirmed, errors } = await page.evaluate(() => globalThis.lingering.finish());
    assert.equal([received, confirmed, errors], [sent, sent, []]);
    const started = performance.now();
    assert.is(await page.evaluate(() => globalThis.lingering.talk()), 600_000);
    assert.ok(performance.now() - started < TALK_MS, "a text waits for no timer");
  }, { seconds: 60 });
}

test.run();

async function isSlowedToSeconds(page: Page): Promise<boolean> {
  return ((await timerDelays(page)).at(-1) ?? 0) > 900;
}

/** Whether the timers take more than 3 s; the first of those a minute may come sooner. */
async function isSlowedToMinutes(page: Page): Promise<boolean> {
  return await Promise.race([timerDelays(page).then((delays) => Math.max(...delays) > 3_000), pause(5_500).then(() => true)]);
}

/** Bytes received in the measured time. */
async function rateOf(page: Page): Promise<number> {
  const before = await receivedOf(page);
  await pause(MEASURED_MS);
  return await receivedOf(page) - before;
}

function receivedOf(page: Page): Promise<number> {
  return page.evaluate(() => globalThis.lingering.received);
}
