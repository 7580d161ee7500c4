import * as assert from "uvu/assert";
import { DEFAULT_LIMITS, resolveLimits } from "../../protocol/limits.ts";
import { assertByteOptions, assertCloseOptions, assertSendTextOptions, assertTextOptions, show } from "../../protocol/options.ts";
import { resolveChunkSize } from "../../actors/runtime/options.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";

const test = suite("options");

const WRONG: readonly [name: string, values: readonly unknown[]][] = [
  ["topic", [1, null, {}]],
  ["attributes", [1, null, [], { a: 1 }, { millrace: "x" }]],
  ["streamId", ["", 1, "millrace.control"]],
  ["totalSize", [-1, 0.5, NaN, Infinity, "1"]],
  ["destinationIdentities", ["bob", [], [""], [1], {}]],
  ["senderIdentity", ["", 1]],
  ["signal", [{}, true]],
  ["onProgress", [{}, "f"]],
  ["confirm", [1, "true"]],
  ["compress", [1]],
];

test("options: each is checked by itself, and the message names it", async () => {
  for (const [name, values] of WRONG) {
    for (const value of values) {
      for (const check of [assertTextOptions, assertByteOptions]) {
        const error = await rejection(() => check({ [name]: value }), "invalid-argument");
        assert.match(error.message, `"${name}"`);
      }
    }
  }
  for (const wrong of [{ replyToId: 1 }, { attachedStreamIds: [""] }, { attachments: [1] }]) {
    await rejection(() => assertSendTextOptions(wrong as object), "invalid-argument");
  }
  for (const wrong of [{ name: 1 }, { mimeType: 1 }]) {
    await rejection(() => assertByteOptions(wrong as object), "invalid-argument");
  }
  for (const wrong of [{ reason: 1 }, { attributes: [] }]) {
    await rejection(() => assertCloseOptions(wrong as object), "invalid-argument");
  }
  for (const wrong of [null, 1, "x", []]) await rejection(() => assertTextOptions(wrong as object), "invalid-argument");
});

test("options: undefined counts as absent, and valid values pass", () => {
  for (const [name] of WRONG) assertTextOptions({ [name]: undefined });
  const signal = new AbortController().signal;
  assertSendTextOptions({
    topic: "",
    attributes: { "": "" },
    totalSize: 0,
    destinationIdentities: ["a"],
    signal,
    attachments: ["p", new URL("file:///p")],
  });
  assertByteOptions({ name: "", mimeType: "", onProgress: () => {}, confirm: false, compress: true });
  assertCloseOptions({ reason: "", attributes: {} });
});

test("resolveChunkSize: is 4 to 60,000 bytes", async () => {
  assert.equal([undefined, 4, 60_000].map((size) => resolveChunkSize(size)), [15_000, 4, 60_000]);
  for (const size of [3, 60_001, 4.5, NaN, "5"]) await rejection(() => resolveChunkSize(size as number), "invalid-argument");
});

test("resolveLimits: defaults one by one, windows never below what every sender may count on", async () => {
  assert.equal(resolveLimits(), DEFAULT_LIMITS);
  assert.is(resolveLimits({ streams: 1 }).streamsPerSender, DEFAULT_LIMITS.streamsPerSender);
  const { receiveWindow, senderWindow, totalWindow } = resolveLimits({ receiveWindow: 1, senderWindow: 1, totalWindow: 1 });
  assert.equal([receiveWindow, senderWindow, totalWindow], [60_000, 60_000, 1]);
  assert.is(resolveLimits({ idleTimeout: 0.5 }).idleTimeout, 0.5);
  for (const wrong of [null, 1, "x"]) await rejection(() => resolveLimits(wrong as unknown as object), "invalid-argument");
});

test("show: values are shown short", () => {
  assert.is(show("a\n"), '"a\\n"');
  assert.ok(show("x".repeat(1_000)).length < 100);
  assert.equal([[1, 2], null, Object.create(null) as object, undefined, 1].map(show), [
    "an array of 2",
    "null",
    "an object of class none",
    "undefined",
    "1",
  ]);
});

test.run();
