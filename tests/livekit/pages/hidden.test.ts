// needs: chromium
// A page in a room behind another tab: its timers fire once a second. The browser slows those of a page with WebRTC no further.
import * as assert from "uvu/assert";
import type { Page } from "playwright-core";
import type { Runtime } from "../../../mod.ts";
import { Chromium, hide, timerDelays } from "../../support/browser/chromium.ts";
import { pattern } from "../../support/bytes.ts";
import { suite } from "../../support/harness.ts";
import { LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { type PageMember, Pages } from "../../support/pages/pages.ts";
import { NEWEST } from "../../support/pages/sdks.ts";
import { pause, until } from "../../support/waiting.ts";

/** Makes the browser slow the timers of hidden pages to one a minute after 2 s, not 5 minutes, unless they have WebRTC. */
const EARLY = "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/2";

/** Bytes of a transfer: with an acknowledgement a second it would take minutes. */
const BYTES = 8_000_000;

/** Time without a sign of life after which the other end gives up, in ms: keep-alives come three times as often. */
const IDLE_MS = 3_000;

const test = suite("pages: hidden");
const rooms = await LiveKitRooms.start();
const pages = await Pages.start(NEWEST, () => Chromium.startWithHiddenTabs([EARLY]));

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
      await hidden(alice);
      const slowed = await bothWays(alice, runtime);
      for (const [way, ms] of slowed.entries()) {
        const before = visible[way] ?? 0;
        assert.ok(ms < 3 * before + 1_000, `${way === 0 ? "from" : "to"} the page: ${ms} ms hidden, ${before} before`);
      }
      const delay = (await timerDelays(alice.page)).at(-1) ?? 0;
      assert.ok(delay > 900 && delay < 2_500, `once a second to the end: ${delay} ms`);
      await alice.page.close();
    }),
  { seconds: 60 },
);

test(
  "livekit: a stream that is idle for longer than the idle timeout goes on with a hidden page",
  () =>
    rooms.in(async (room) => {
      const { runtime, errors } = await room.join("bob", { limits: { idleTimeout: IDLE_MS } });
      const alice = await pages.join(room, "alice");
      await alice.call("listen", "slow");
      await hidden(alice);
      const writer = await runtime.streamBytes({ topic: "slow", destinationIdentities: ["alice"], confirm: true });
      await writer.write(pattern(100_000));
      await pause(3 * IDLE_MS);
      await writer.write(pattern(100_000));
      await writer.close();
      assert.equal([writer.info.receipts, errors], [[{ identity: "alice", bytes: 200_000 }], []]);
      await alice.page.close();
    }),
  { seconds: 60 },
);

test.after(async () => {
  await pages[Symbol.asyncDispose]();
  await rooms.close();
});
test.run();

/** Hides a page, and waits until its timers are slowed. */
async function hidden({ page }: PageMember): Promise<void> {
  await hide(page as Page);
  await until(async () => ((await timerDelays(page)).at(-1) ?? 0) > 900);
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
