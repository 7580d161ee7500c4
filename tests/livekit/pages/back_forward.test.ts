// needs: chromium, firefox, puppeteer-core
// A page in a room that leaves by a link in mid-stream, and comes back by the browser's button. A browser does not keep a page with WebRTC in its
// back/forward cache, so the page is loaded again.
import * as assert from "uvu/assert";
import type { ByteStreamReader, StreamError } from "../../../mod.ts";
import { Chromium } from "../../support/browser/chromium.ts";
import { Firefox } from "../../support/browser/firefox.ts";
import { awayAndBack, type TestBrowser } from "../../support/browser/test_browser.ts";
import { suite } from "../../support/harness.ts";
import { LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { Pages } from "../../support/pages/pages.ts";
import { NEWEST } from "../../support/pages/sdks.ts";

/** Time away, in ms. */
const AWAY_MS = 1_000;

/** Bytes that take longer than the test stays. */
const LONG_BYTES = 100_000_000;

const BROWSERS: readonly (readonly [string, () => Promise<TestBrowser>])[] = [
  ["Chromium", () => Chromium.start({ without: ["--disable-back-forward-cache"] })],
  ["Firefox", () => Firefox.start()],
];

const test = suite("pages: back/forward cache");
const rooms = await LiveKitRooms.start();

for (const [name, start] of BROWSERS) {
  test(
    `livekit: streams with a page of ${name} that leaves end as disconnected, and it joins again when it is back`,
    () =>
      rooms.in(async (room) => {
        await using pages = await Pages.start(NEWEST, start);
        const { runtime } = await room.join("bob");
        const alice = await pages.join(room, "alice");
        await alice.call("listen", "back");
        const opened = new Promise<ByteStreamReader>((resolve) => {
          runtime.registerByteStreamHandler("t", (reader) => resolve(reader));
        });
        const sending = alice.call("send", { kind: "bytes", bytes: LONG_BYTES }, { topic: "t", destinationIdentities: ["bob"] });
        sending.catch(() => {}); // the page is gone
        const read = failureOf((await opened).readAll());
        const writer = await runtime.streamBytes({ topic: "back", destinationIdentities: ["alice"] });
        const written = failureOf(writeForEver(writer));
        await alice.page.evaluate(() => Object.assign(globalThis, { wasHere: true }));
        await awayAndBack(alice.page, AWAY_MS);
        assert.is((await room.step("the reader's end", read)).code, "disconnected");
        assert.is((await room.step("the writer's end", written)).code, "disconnected");
        await alice.page.waitForFunction("globalThis.member !== undefined");
        assert.is(await alice.page.evaluate(() => "wasHere" in globalThis), false, "it was loaded again");
        await pages.rejoin(room, alice);
        runtime.registerByteStreamHandler("again", async (reader) => void await reader.readAll());
        const content = { kind: "bytes", bytes: 100_000 } as const;
        const sent = await alice.call("send", content, { topic: "again", destinationIdentities: ["bob"] });
        assert.equal(sent.info?.["receipts"], [{ identity: "bob", bytes: 100_000 }], sent.error);
      }),
    { seconds: 60 },
  );
}

test.after(() => rooms.close());
test.run();

async function failureOf(work: Promise<unknown>): Promise<StreamError> {
  return await work.then(() => assert.unreachable("it must fail"), (error: StreamError) => error) as unknown as StreamError;
}

async function writeForEver(writer: { write(data: Uint8Array): Promise<void> }): Promise<void> {
  for (;;) await writer.write(new Uint8Array(100_000));
}
