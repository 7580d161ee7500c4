// Texts are decoded in time slices where there are no workers, however many frames are available.
import * as assert from "uvu/assert";
import { createHub, createRuntime } from "../../mod.ts";
import { SLICE_MS } from "../../common/event_loop.ts";
import { suite } from "../support/harness.ts";

const TEXT_BYTES = 4_000_000;

const test = suite("decoding");

test("decoding: two decodings that each need a slice of time never share a turn of the event loop", async () => {
  const hub = createHub();
  const alice = await createRuntime({ transport: hub.join("alice"), pool: false });
  const bob = await createRuntime({ transport: hub.join("bob"), pool: false });
  const slow = slowDecoder();
  try {
    const read = new Promise<number>((resolve, reject) => {
      bob.registerTextStreamHandler("text", (reader) => reader.readAll().then((text) => resolve(text.length), reject));
    });
    await alice.sendText("x".repeat(TEXT_BYTES), { topic: "text" });
    assert.is(await read, TEXT_BYTES);
  } finally {
    slow.restore();
    await alice.close();
    await bob.close();
  }
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
