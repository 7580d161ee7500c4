// Texts are decoded in time slices where there are no workers, however many frames are available.
import * as assert from "uvu/assert";
import { SLICE_MS } from "../../common/event_loop.ts";
import { SEGMENT_BYTES } from "../../protocol/constants.ts";
import { collectTexts } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";

const TEXT_BYTES = 4_000_000;

const test = suite("decoding");

test("decoding: two frames that each need a slice of time are never decoded in one turn of the event loop", async () => {
  const slow = slowDecoder();
  await inPair(async (alice, bob) => {
    const texts = collectTexts(bob, "text");
    await alice.sendText("x".repeat(TEXT_BYTES), { topic: "text", confirm: true });
    await until(() => texts.length > 0);
    assert.is(texts[0]?.length, TEXT_BYTES);
  }, { runtime: { pool: false } }).finally(slow.restore);
  const lengths = [...slow.decoded.values()];
  assert.ok(lengths.length > 10, `${lengths.length} turns`);
  assert.ok(lengths.every((length) => length <= SEGMENT_BYTES), `decoded in each turn: ${lengths.join()}`);
});

test.run();

/** Makes the decoding of a frame take longer than a slice. `decoded` has the units that were decoded in each turn of the event loop. */
function slowDecoder(): { decoded: Map<number, number>; restore: () => void } {
  const { decode } = TextDecoder.prototype;
  const decoded = new Map<number, number>();
  let turn = 0;
  let immediate = setImmediate(function next() {
    turn++;
    immediate = setImmediate(next);
  });
  TextDecoder.prototype.decode = function (this: TextDecoder, ...args: Parameters<typeof decode>): string {
    const text = decode.apply(this, args);
    if (text.length > 10_000) {
      decoded.set(turn, (decoded.get(turn) ?? 0) + text.length);
      const ms = 2 * SLICE_MS * text.length / SEGMENT_BYTES;
      for (const until = performance.now() + ms; performance.now() < until;);
    }
    return text;
  };
  return {
    decoded,
    restore() {
      TextDecoder.prototype.decode = decode;
      clearImmediate(immediate);
    },
  };
}
