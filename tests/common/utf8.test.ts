import fc from "fast-check";
import * as assert from "uvu/assert";
import { SurrogateJoiner, textPieces, utf8Bytes } from "../../common/utf8.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";

const test = suite("utf8");
const encoder = new TextEncoder();

/** Texts with pairs, lone surrogates and all lengths of code points close together. */
const text = fc.array(fc.constantFrom("a", "é", "€", "😀", "\ud83d", "\ude00", "\u{10ffff}", "\uffff", "\0"), { maxLength: 40 })
  .map((parts) => parts.join(""));
const anyText = fc.oneof(text, fc.string({ unit: "binary" }));

function encodedOneByOne(pieces: Iterable<string>): number[] {
  return [...pieces].flatMap((piece) => [...encoder.encode(piece)]);
}

test("utf8Bytes: counts the bytes of the encoding", () => {
  fc.assert(fc.property(anyText, (whole) => utf8Bytes(whole) === encoder.encode(whole).length));
});

test("textPieces: joined pieces are the text, and their encodings its encoding", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 2, max: 9 }), (whole, units) => {
      const pieces = [...textPieces(whole, units)];
      assert.is(pieces.join(""), whole);
      assert.equal(encodedOneByOne(pieces), [...encoder.encode(whole)]);
      assert.ok(pieces.every((piece) => piece.length >= 1 && piece.length <= units));
      assert.ok(pieces.slice(0, -1).every((piece) => piece.length >= units - 1));
    }),
  );
});

test("textPieces: refuses sizes that could not hold a surrogate pair", async () => {
  for (const units of [1, 0, -1, 2.5, NaN, Infinity]) await rejection(() => [...textPieces("😀", units)], "invalid-argument");
});

test("textPieces: cuts lazily", () => {
  const pieces = textPieces("x".repeat(1_000_000), 1_000);
  assert.is(pieces.next().value?.length, 1_000);
  pieces.return();
  assert.is(pieces.next().done, true);
});

test("SurrogateJoiner: joined writes are the text, however it was cut", () => {
  fc.assert(
    fc.property(fc.array(anyText, { maxLength: 8 }), (writes) => {
      const joiner = new SurrogateJoiner();
      const out = [...writes.map((write) => joiner.push(write)), joiner.end()];
      assert.is(out.join(""), writes.join(""));
      assert.equal(encodedOneByOne(out), [...encoder.encode(writes.join(""))]);
    }),
  );
});

test("SurrogateJoiner: joins a pair cut in two, with an empty write between", () => {
  const joiner = new SurrogateJoiner();
  assert.equal([joiner.push("a\ud83d"), joiner.push(""), joiner.push("\ude00b"), joiner.end()], ["a", "", "😀b", ""]);
});

test("SurrogateJoiner: gives a lone surrogate at the end, once", () => {
  const joiner = new SurrogateJoiner();
  assert.is(joiner.push("\ud83d"), "");
  const end = joiner.end();
  assert.equal([...encoder.encode(end)], [0xef, 0xbf, 0xbd]);
  assert.is(joiner.end(), "");
});

test.run();
