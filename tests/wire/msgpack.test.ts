import fc from "fast-check";
import { Packr } from "msgpackr";
import * as assert from "uvu/assert";
import { decodeMsgpack, encodeMsgpack } from "../../protocol/wire/msgpack.ts";
import { suite } from "../support/harness.ts";

const test = suite("msgpack");

/** Values of our own packets. */
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.string({ maxLength: 300 }),
    fc.maxSafeInteger().filter((number) => Math.abs(number) < 2 ** 53),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("any"), { maxLength: 20 }),
    fc.dictionary(fc.string({ maxLength: 8 }).filter((key) => key !== "__proto__"), tie("any"), {
      maxKeys: 20,
      noNullPrototype: true,
    }),
  ),
})).any;

test("law: decodeMsgpack reads every encodeMsgpack", () => {
  fc.assert(
    fc.property(value, (packed) => {
      const bytes = encodeMsgpack(packed);
      assert.is(bytes.byteLength, bytes.buffer.byteLength, "the bytes are the caller's own");
      assert.equal(normal(decodeMsgpack(bytes)), normal(packed));
    }),
    { numRuns: 500 },
  );
});

test("decodeMsgpack: refuses everything that msgpackr would revive, at any depth", () => {
  const wild = new Packr({ structuredClone: true, moreTypes: true, useRecords: false });
  for (const thing of [new Error("x"), /x/u, new Set([1]), new Float64Array(2), new Date(0), 10n ** 30n]) {
    assert.is(decodeMsgpack(new Uint8Array(wild.pack(thing))), undefined, String(thing));
    assert.is(decodeMsgpack(new Uint8Array(wild.pack({ a: [thing] }))), undefined, String(thing));
  }
});

test("law: decodeMsgpack never throws", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void decodeMsgpack(bytes)), { numRuns: 3_000 });
});

test("decodeMsgpack: a key that names the prototype sets none", () => {
  const bytes = Uint8Array.from([0x81, 0xa9, ...new TextEncoder().encode("__proto__"), 0x81, 0xa1, 0x61, 0x01]);
  const read = decodeMsgpack(bytes) as { a?: unknown };
  assert.is(read.a, undefined);
  assert.is(({} as { a?: unknown }).a, undefined);
});

/** Arrays of bytes of one class, whatever class the runtime's reader gives. */
function normal(item: unknown): unknown {
  if (item instanceof Uint8Array) return { bytes: [...item] };
  if (Array.isArray(item)) return item.map(normal);
  if (typeof item !== "object" || item === null) return item;
  return Object.fromEntries(Object.entries(item).map(([key, inner]) => [key, normal(inner)]));
}

test.run();
