// Pages that go to the back/forward cache with a stream in mid-way, and come back.
// needs: chromium, firefox, puppeteer-core
import * as assert from "uvu/assert";
import { Chromium } from "../support/browser/chromium.ts";
import { Firefox } from "../support/browser/firefox.ts";
import { awayAndBack, type TestBrowser, type TestPage } from "../support/browser/test_browser.ts";
import { suite } from "../support/harness.ts";
import { until } from "../support/waiting.ts";
import type {} from "./pages/lingering.ts";

/** Time away, in ms: more than the idle timeout of the page's streams. */
const AWAY_MS = 4_000;

/** Pages tried in Firefox, which now and then loads a page again that it could have kept. */
const TRIES = 5;

const test = suite("back/forward cache");

for (const isolated of [true, false]) {
  const title = isolated ? "an isolated page" : "a page";

  test(`createHub(): streams of ${title} in Chromium go on when it comes back`, async () => {
    await using chromium = await Chromium.start({ without: ["--disable-back-forward-cache"] });
    const page = await midway(chromium, isolated);
    await awayAndBack(page, AWAY_MS);
    const before = await receivedOf(page);
    assert.equal(await page.evaluate(() => globalThis.lingering.shows), [false, true], "it was in the cache");
    await until(async () => await receivedOf(page) > before + 1_000_000);
    const { sent, received, confirmed, errors } = await page.evaluate(() => globalThis.lingering.finish());
    assert.equal([received, confirmed, errors], [sent, sent, []]);
    assert.is(await page.evaluate(() => globalThis.lingering.talk()), 600_000);
  }, { seconds: 60 });

  test(
    `createHub(): streams of ${title} in Firefox go on when it comes back, and new ones work`,
    async () => {
      await using firefox = await Firefox.start();
      const page = await cached(firefox, isolated);
      const { sent, received, confirmed, errors } = await page.evaluate(() => globalThis.lingering.finish());
      assert.equal([received, confirmed, errors], [sent, sent, []]);
      assert.is(await page.evaluate(() => globalThis.lingering.talk()), 600_000);
    },
    { seconds: 120 },
  );
}

test.run();

/** A page with a stream in mid-way. */
async function midway(browser: TestBrowser, isolated: boolean): Promise<TestPage> {
  const page = await browser.open({ entries: ["tests/browser/pages/lingering.ts"], isolated });
  await page.waitForFunction("globalThis.lingering !== undefined");
  await page.evaluate(() => globalThis.lingering.begin());
  await until(async () => await receivedOf(page) > 1_000_000);
  return page;
}

/** A page that was in the cache in mid-stream. */
async function cached(browser: TestBrowser, isolated: boolean): Promise<TestPage> {
  for (let tries = 0; tries < TRIES; tries++) {
    const page = await midway(browser, isolated);
    await awayAndBack(page, AWAY_MS);
    if (await page.evaluate(() => globalThis.lingering?.shows.at(-1) === true)) return page;
    await page.close();
  }
  throw new Error(`Cannot test the back/forward cache as the browser has not used it in ${TRIES} tries`);
}

function receivedOf(page: TestPage): Promise<number> {
  return page.evaluate(() => globalThis.lingering.received);
}
