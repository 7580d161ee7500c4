import fc from "fast-check";
import * as assert from "uvu/assert";
import { cutBytes, decodedPieces } from "../../protocol/wire/chunking.ts";
import { suite } from "../support/harness.ts";

const test = suite("chunking");
const text = fc.string({ unit: "binary", maxLength: 400 });
const chunkSize = fc.integer({ min: 1, max: 60 });
const before = fc.integer({ min: 0, max: 9 });

/** Calls `body` with each chunk, after a check that the chunks are the bytes, in order, and none is empty. */
function eachChunk(bytes: Uint8Array, start: number, ends: readonly number[], body: (chunk: Uint8Array) => void): void {
  let at = start;
  for (const end of ends) {
    assert.ok(end > at, `empty chunk at ${at}`);
    body(bytes.subarray(at, end));
    at = end;
  }
  assert.is(at, bytes.length);
}

test("cutBytes: chunks of bytes are full except the last", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300, minLength: 9 }), before, chunkSize, (bytes, start, size) => {
    const sizes: number[] = [];
    eachChunk(bytes, start, cutBytes(bytes, start, bytes.length, size, false), (chunk) => sizes.push(chunk.length));
    assert.ok(sizes.slice(0, -1).every((length) => length === size));
    assert.ok((sizes.at(-1) ?? 1) <= size);
  }));
});

test("cutBytes: chunks of text are valid UTF-8 by themselves, and no larger than requested", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  fc.assert(fc.property(text, before, chunkSize, (content, start, size) => {
    const bytes = new Uint8Array([...new Uint8Array(start), ...new TextEncoder().encode(content)]);
    let decoded = "";
    eachChunk(bytes, start, cutBytes(bytes, start, bytes.length, size, true), (chunk) => {
      assert.ok(chunk.length <= Math.max(size, 4), `${chunk.length} bytes`);
      decoded += decoder.decode(chunk);
    });
    assert.is(decoded, new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(content)));
  }));
});

test("cutBytes: chunks of text are as large as possible", () => {
  fc.assert(fc.property(text, fc.integer({ min: 4, max: 60 }), (content, size) => {
    const bytes = new TextEncoder().encode(content);
    const ends = cutBytes(bytes, 0, bytes.length, size, true);
    eachChunk(bytes, 0, ends.slice(0, -1).concat(bytes.length === 0 ? [] : [bytes.length]), (chunk) => {
      assert.ok(chunk.byteOffset + chunk.length === bytes.length || chunk.length > size - 4);
    });
  }));
});

test("cutBytes: bytes that are not UTF-8 are cut as well", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), chunkSize, (bytes, size) => {
    eachChunk(bytes, 0, cutBytes(bytes, 0, bytes.length, size, true), (chunk) => assert.ok(chunk.length <= Math.max(size, 4)));
  }));
});

test("cutBytes: nothing has no chunks", () => {
  assert.equal(cutBytes(new Uint8Array(8), 8, 8, 3, true), []);
});

/** Bytes around which a text is decoded in one piece or two. */
const nearPiece = fc.integer({ min: 59_990, max: 60_010 });

test("decodedPieces: pieces joined are the whole, of UTF-8 and of other bytes, and each is short", () => {
  const bytesOfText = text.map((content) => new TextEncoder().encode(content));
  const unit = fc.oneof(bytesOfText, fc.uint8Array({ maxLength: 9 })).filter(({ length }) => length > 0);
  const decode = (piece: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(piece);
  fc.assert(fc.property(unit, nearPiece, fc.integer({ min: 1, max: 4 }), (one, length, times) => {
    const bytes = new Uint8Array(length * times).map((_, at) => one[at % one.length] ?? 0);
    const lengths: number[] = [];
    const pieces = decodedPieces(bytes, (piece) => {
      lengths.push(piece.length);
      return decode(piece);
    });
    assert.is(pieces.join(""), decode(bytes));
    assert.ok(lengths.length <= times + 1 && lengths.every((each) => each <= 60_000), lengths.join());
  }));
});

test("decodedPieces: an empty text is one empty piece", () => {
  assert.equal(decodedPieces(new Uint8Array(), () => ""), [""]);
});

test.run();
