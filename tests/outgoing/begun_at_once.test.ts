// Sends that are begun in one go take turns.
import * as assert from "uvu/assert";
import type { ByteStreamReader, Runtime, StreamError, TextStreamReader } from "../../mod.ts";
import { TO_BOB } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";

const SENDS = 1_000;

const test = suite("sends begun at once");

/** Number of the present turn of the event loop. */
function countTurns(): { now: () => number; stop: () => void } {
  let turn = 0;
  let next = setImmediate(function count() {
    turn++;
    next = setImmediate(count);
  });
  return { now: () => turn, stop: () => clearImmediate(next) };
}

/** Ways to send a small stream of one number. */
const WAYS: Readonly<Record<string, (alice: Runtime, n: number, onProgress: () => void) => Promise<unknown>>> = {
  sendText: (alice, n, onProgress) => alice.sendText("x", { ...TO_BOB, attributes: { n: String(n) }, onProgress }),
  "sendBytes, short": (alice, n, onProgress) =>
    alice.sendBytes(new Uint8Array(10), { ...TO_BOB, attributes: { n: String(n) }, onProgress }),
  "sendBytes, framed": (alice, n, onProgress) =>
    alice.sendBytes(new Uint8Array(20_000), { ...TO_BOB, attributes: { n: String(n) }, onProgress }),
};

for (const [name, send] of Object.entries(WAYS)) {
  test(
    `${name}: a thousand sends begun at once open their streams in many turns of the event loop, in order`,
    () =>
      inPair(async (alice, bob) => {
        const offered: number[] = [];
        const note = async (reader: TextStreamReader | ByteStreamReader): Promise<void> => {
          offered.push(Number(reader.info.attributes["n"]));
          await reader.readAll();
        };
        bob.registerTextStreamHandler("t", note);
        bob.registerByteStreamHandler("t", note);
        const turns = countTurns();
        const opened = new Set<number>();
        await Promise.all(Array.from({ length: SENDS }, (_, n) => send(alice, n, () => void opened.add(turns.now()))));
        await until(() => offered.length === SENDS);
        turns.stop();
        assert.equal(offered, Array.from({ length: SENDS }, (_, n) => n));
        assert.ok(opened.size > 10, `${opened.size} turns`);
      }),
    { seconds: 30 },
  );
}

test("sendText: sends begun at once end when their signal aborts, or their runtime closes", () =>
  inPair(async (alice) => {
    const controller = new AbortController();
    const aborted = Array.from({ length: 200 }, () => alice.sendText("x", { ...TO_BOB, signal: controller.signal }));
    const closed = Array.from({ length: 200 }, () => alice.sendText("x", TO_BOB));
    controller.abort();
    const closing = alice.close();
    const codes = async (sends: readonly Promise<unknown>[]): Promise<string[]> =>
      (await Promise.allSettled(sends)).map((end) => end.status === "fulfilled" ? "sent" : (end.reason as StreamError).code);
    assert.equal([...new Set(await codes(aborted))], ["aborted"]);
    assert.equal([...new Set(await codes(closed))], ["closed"]);
    await closing;
  }));

test.run();
