// Several tabs of one origin, and tabs that are closed or hidden in mid-stream.
// needs: chromium
import * as assert from "uvu/assert";
import type { Page } from "playwright-core";
import { Chromium } from "../support/browser/chromium.ts";
import { suite } from "../support/harness.ts";
import { until } from "../support/waiting.ts";
import type {} from "./pages/tab.ts";

const test = suite("tabs");
const chromium = await Chromium.start();
test.after(() => chromium[Symbol.asyncDispose]());
const first = await chromium.open({ entries: ["tests/browser/pages/tab.ts"] });
const second = await anotherTab();

test("saveTo: two tabs that save under one name at once have names of their own, and each file is whole", async () => {
  const saved = await Promise.all(
    [first, second].map((page, at) =>
      page.evaluate((seeds) => globalThis.tab.save("shared", "same.bin", seeds), [4 * at + 1, 4 * at + 2, 4 * at + 3])
    ),
  );
  const all = saved.flat();
  const expected = ["same (2).bin", "same (3).bin", "same (4).bin", "same (5).bin", "same (6).bin", "same.bin"];
  assert.equal(all.map(({ path }) => path).sort(), expected);
  assert.ok(all.every(({ isWhole }) => isWhole));
  assert.equal(await namesIn(first, "shared"), expected);
}, { seconds: 40 });

test("saveTo: a tab that is closed in mid-stream leaves no file under the final name", async () => {
  const tab = await anotherTab();
  await tab.evaluate(() => globalThis.tab.begin("closed", "half.bin"));
  await tab.close();
  const left = await namesIn(first, "closed");
  assert.equal(left.filter((name) => !/\.part(\.crswap)?$/.test(name)), []); // the last is Chromium's own, until it tidies up
  const [saved] = await first.evaluate(() => globalThis.tab.save("closed", "half.bin", [1]));
  assert.equal(saved, { path: "half.bin", isWhole: true });
}, { seconds: 40 });

test("saveTo: the part of a tab that writes stays, that of a closed tab is removed by a later save into its folder", async () => {
  const tab = await anotherTab();
  await tab.evaluate(() => globalThis.tab.begin("swept", "half.bin"));
  const parts = async (): Promise<number> => (await namesIn(first, "swept")).filter((name) => name.endsWith(".part")).length;
  await saveFrom(await anotherTab());
  assert.is(await parts(), 1);
  await tab.close();
  await until(async () => { // the browser frees a closed tab's lock a little later; each new tab sweeps with its first save
    await saveFrom(await anotherTab());
    return await parts() === 0;
  });
}, { seconds: 40 });

test.run();

async function saveFrom(tab: Page): Promise<void> {
  const [saved] = await tab.evaluate(() => globalThis.tab.save("swept", "other.bin", [1]));
  assert.is(saved?.isWhole, true);
  await tab.close();
}

async function anotherTab(): Promise<Page> {
  const page = await first.context().newPage();
  await page.goto(first.url());
  await page.waitForFunction("globalThis.tab !== undefined");
  return page;
}

function namesIn(page: Page, folder: string): Promise<string[]> {
  return page.evaluate((name) => globalThis.tab.names(name), folder);
}
