// Pages behind another tab: their timers fire once a second.
import * as assert from "uvu/assert";
import type { Runtime } from "../../../mod.ts";
import type {} from "../../browser/pages/lingering.ts";
import { type TestBrowser, type TestPage, timerDelays } from "../browser/test_browser.ts";
import { pattern } from "../bytes.ts";
import { suite } from "../harness.ts";
import { LiveKitRooms } from "../livekit/livekit_rooms.ts";
import { pause, until } from "../waiting.ts";
import { type PageMember, Pages } from "./pages.ts";
import type { ClientSdk } from "./sdks.ts";

/** Time over which a stream's rate is taken, in ms: more than the idle timeout of the page's streams. */
const MEASURED_MS = 4_000;

/** Least share of its rate that a stream has where its page is hidden. */
const LEAST_SHARE = 0.4;

/** Longest time of a text with its receipt, in ms: with timers that fire once a minute a single one would take longer. */
const TALK_MS = 3_000;

/** Bytes of a transfer: with an acknowledgement a second it would take minutes. */
const BYTES = 8_000_000;

/** Time without a sign of life after which the other end gives up, in ms: keep-alives come three times as often. */
const IDLE_MS = 3_000;

/** Asserts that streams between two runtimes of a page keep their rate while it is hidden. `areSlowed` resolves once its timers are slow enough. */
export async function keepsItsRate(browser: TestBrowser, areSlowed: (page: TestPage) => Promise<void>): Promise<void> {
  const page = await browser.open({ entries: ["tests/browser/pages/lingering.ts"] });
  await page.waitForFunction("globalThis.lingering !== undefined");
  await page.evaluate(() => globalThis.lingering.begin({ line: false }));
  await until(async () => await receivedOf(page) > 1_000_000);
  const visible = await rateOf(page);
  await browser.hide(page);
  await areSlowed(page);
  const hidden = await rateOf(page);
  assert.ok(hidden >= LEAST_SHARE * visible, `${hidden} bytes hidden, ${visible} before`);
  const { sent, received, confirmed, errors } = await page.evaluate(() => globalThis.lingering.finish());
  assert.equal([received, confirmed, errors], [sent, sent, []]);
  const started = performance.now();
  assert.is(await page.evaluate(() => globalThis.lingering.talk()), 600_000);
  assert.ok(performance.now() - started < TALK_MS, "a text waits for no timer");
}

/** Tests of a page in a room behind another tab. Browsers slow the timers of a page with WebRTC to one a second, and no further. */
export async function hiddenMembers(sdk: ClientSdk, start: () => Promise<TestBrowser>): Promise<void> {
  const test = suite("pages: hidden");
  const rooms = await LiveKitRooms.start();
  const pages = await Pages.start(sdk, start);

  test(
    "livekit: transfers from and to a hidden page take no longer, though its timers fire once a second",
    () =>
      rooms.in(async (room) => {
        const { runtime } = await room.join("bob");
        runtime.registerByteStreamHandler("t", async (reader) => void await reader.readAll());
        const alice = await pages.join(room, "alice");
        await alice.call("listen", "back");
        await bothWays(alice, runtime); // which acquaints them
        const visible = await bothWays(alice, runtime);
        await pages.hide(alice);
        const hidden = await bothWays(alice, runtime);
        for (const [way, ms] of hidden.entries()) {
          const before = visible[way] ?? 0;
          assert.ok(ms < 3 * before + 1_000, `${way === 0 ? "from" : "to"} the page: ${ms} ms hidden, ${before} before`);
        }
        const delay = (await timerDelays(alice.page)).at(-1) ?? 0;
        assert.ok(delay > 900 && delay < 2_500, `once a second to the end: ${delay} ms`);
        await alice.page.close();
      }),
    { seconds: 120 },
  );

  test(
    "livekit: a stream that is idle for longer than the idle timeout goes on with a hidden page",
    () =>
      rooms.in(async (room) => {
        const { runtime, errors } = await room.join("bob", { limits: { idleTimeout: IDLE_MS } });
        const alice = await pages.join(room, "alice");
        await alice.call("listen", "slow");
        await pages.hide(alice);
        const writer = await runtime.streamBytes({ topic: "slow", destinationIdentities: ["alice"], confirm: true });
        await writer.write(pattern(100_000));
        await pause(3 * IDLE_MS);
        await writer.write(pattern(100_000));
        await writer.close();
        assert.equal([writer.info.receipts, errors], [[{ identity: "alice", bytes: 200_000 }], []]);
        await alice.page.close();
      }),
    { seconds: 120 },
  );

  test.after(async () => {
    await pages[Symbol.asyncDispose]();
    await rooms.close();
  });
  test.run();
}

/** Bytes received in the measured time. */
async function rateOf(page: TestPage): Promise<number> {
  const before = await receivedOf(page);
  await pause(MEASURED_MS);
  return await receivedOf(page) - before;
}

function receivedOf(page: TestPage): Promise<number> {
  return page.evaluate(() => globalThis.lingering.received);
}

/** Times of a transfer from the page and of one to it, in ms. */
async function bothWays(alice: PageMember, runtime: Runtime): Promise<[number, number]> {
  const started = performance.now();
  const there = await alice.call("send", { kind: "bytes", bytes: BYTES }, { topic: "t", destinationIdentities: ["bob"] });
  assert.equal(there.info?.["receipts"], [{ identity: "bob", bytes: BYTES }], there.error);
  const between = performance.now();
  const { receipts } = await runtime.sendBytes(pattern(BYTES), { topic: "back", destinationIdentities: ["alice"] });
  assert.equal(receipts, [{ identity: "alice", bytes: BYTES }]);
  return [between - started, performance.now() - between];
}
