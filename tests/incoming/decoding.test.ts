// Texts are decoded in time slices where there are no workers, however many frames are available.
import * as assert from "uvu/assert";
import { SLICE_MS } from "../../common/event_loop.ts";
import { collectTexts } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";

const TEXT_BYTES = 4_000_000;

const test = suite("decoding");

test("decoding: two decodings that each need a slice of time never share a turn of the event loop", async () => {
  const slow = slowDecoder();
  await inPair(async (alice, bob) => {
    const texts = collectTexts(bob, "text");
    await alice.sendText("x".repeat(TEXT_BYTES), { topic: "text", confirm: true });
    await until(() => texts.length > 0);
    assert.is(texts[0]?.length, TEXT_BYTES);
  }, { runtime: { pool: false } }).finally(slow.restore);
  assert.ok(slow.turns.length > 10, `${slow.turns.length} decodings`);
  assert.is(new Set(slow.turns).size, slow.turns.length);
});

test.run();

/** Makes each larger decoding take longer than a slice, and notes its turn of the event loop. */
function slowDecoder(): { turns: number[]; restore: () => void } {
  const { decode } = TextDecoder.prototype;
  const turns: number[] = [];
  let turn = 0;
  let immediate = setImmediate(function next() {
    turn++;
    immediate = setImmediate(next);
  });
  TextDecoder.prototype.decode = function (this: TextDecoder, ...args: Parameters<typeof decode>): string {
    const text = decode.apply(this, args);
    if (text.length > 10_000) {
      turns.push(turn);
      for (const until = performance.now() + 2 * SLICE_MS; performance.now() < until;);
    }
    return text;
  };
  return {
    turns,
    restore() {
      TextDecoder.prototype.decode = decode;
      clearImmediate(immediate);
    },
  };
}
