// Texts longer than a segment: encoded in steps, straight into segments, with every code point whole.
import * as assert from "uvu/assert";
import type { Runtime, RuntimeOptions, StreamError, TextStreamReader } from "../../mod.ts";
import { SEGMENT_BYTES } from "../../protocol/constants.ts";
import { collectTexts } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";

const test = suite("produceText");

/** Code units encoded per step. */
const STEP = 64 * 1024;

const TEXTS: Readonly<Record<string, string>> = {
  "ASCII of three segments": "x".repeat(3 * SEGMENT_BYTES),
  "three bytes a unit": "\u20ac".repeat(SEGMENT_BYTES),
  "pairs over the ends of steps": `${"x".repeat(STEP - 1)}\u{1d11e}`.repeat(9),
  "pairs over the ends of segments": `y${"\u{1f980}".repeat(SEGMENT_BYTES / 2)}`,
  "two bytes, then four": `${"\u00e9".repeat(SEGMENT_BYTES / 2)}${"\u{1f980}".repeat(40_000)}`,
  "lone surrogates": `${"a\ud800b\udc00".repeat(30_000)}\ud800`,
  "a little more than is sent without a segment": "z".repeat(10_001),
};

const OPTIONS: Readonly<Record<string, Partial<RuntimeOptions>>> = {
  "by the pool": {},
  "on this thread": { pool: false },
  "to small windows": { limits: { receiveWindow: 60_000, senderWindow: 60_000 } },
};

for (const [how, runtime] of Object.entries(OPTIONS)) {
  for (const [what, text] of Object.entries(TEXTS)) {
    test(`sendText, StreamWriter.write: a text comes as it was sent, ${what}, ${how}`, () =>
      inPair(async (alice, bob) => {
        const texts = collectTexts(bob, "t");
        const expected = text.replaceAll(/\p{Cs}/gu, "\ufffd");
        const info = await alice.sendText(text, { topic: "t", confirm: true });
        assert.is(info.size, new TextEncoder().encode(expected).length);
        const writer = await alice.streamText({ topic: "t", confirm: true });
        await writer.write(text);
        await writer.close();
        await until(() => texts.length === 2);
        for (const got of texts) assert.ok(got === expected, `${got.length} units of ${expected.length}`);
      }, { runtime }));
  }
}

for (const [how, runtime] of Object.entries(OPTIONS)) {
  for (const compress of [true, false]) {
    test(`TextStreamReader: no part is over 60,000 units, ${how}, ${compress ? "" : "not "}compressed`, () =>
      inPair(async (alice, bob) => {
        const lengths = new Promise<number[]>((resolve, reject) => {
          bob.registerTextStreamHandler("t", async (reader) => {
            const found: number[] = [];
            try {
              for await (const part of reader) found.push(part.length);
              resolve(found);
            } catch (error) {
              reject(error);
            }
          });
        });
        const text = "some words, ".repeat(60_000);
        await alice.sendText(text, { topic: "t", compress });
        const found = await lengths;
        assert.ok(found.length > 0 && found.every((length) => length > 0 && length <= 60_000), found.join());
        assert.is(found.reduce((sum, length) => sum + length, 0), text.length);
      }, { runtime }));
  }
}

/** Ends of a stream of which a reader has taken the first part of a frame, and the code of each. */
const ENDS: Readonly<
  Record<string, (reader: TextStreamReader, alice: Runtime) => Promise<void>>
> = {
  cancelled: (reader) => reader.cancel(),
  aborted: (_reader, alice) => alice.close(),
};

for (const [code, end] of Object.entries(ENDS)) {
  test(`TextStreamReader: no part follows once the stream is ${code}, of those that came together neither`, () =>
    inPair(async (alice, bob) => {
      const come = new Promise<TextStreamReader>((resolve) => bob.registerTextStreamHandler("t", resolve));
      const text = "x".repeat(8 * SEGMENT_BYTES); // more than the window
      const sending = alice.sendText(text, { topic: "t" }).catch(() => {});
      const reader = await come;
      const parts = reader[Symbol.asyncIterator]();
      assert.is((await parts.next()).value?.length, 60_000);
      await end(reader, alice);
      await reader.closed.catch(() => {});
      assert.is(await parts.next().then(() => "a part", (error: StreamError) => error.code), code);
      await sending;
    }));
}

test.run();
