import fc from "fast-check";
import * as assert from "uvu/assert";
import {
  decodeFrameHeader,
  encodeFrameHeader,
  type FrameHeader,
  FrameParser,
  MAX_FRAME_HEADER,
} from "../../protocol/wire/frames.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { frame } from "../support/hub/raw_participant.ts";

const test = suite("frames");

/** A parser that keeps each frame's bytes. */
function collect(most = Infinity): { parser: FrameParser<Uint8Array>; frames: Uint8Array[] } {
  const frames: Uint8Array[] = [];
  const parser = new FrameParser<Uint8Array>({
    begin: ({ length }) => length > most ? undefined : new Uint8Array(length),
    put: (buffer, at, part) => buffer.set(part, at),
    end: (_, buffer) => void frames.push(buffer),
  });
  return { parser, frames };
}

test("law: FrameParser finds frames wherever their bytes are cut", () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 8 });
  fc.assert(fc.property(lengths, fc.integer({ min: 1, max: 700 }), (sizes, step) => {
    let offset = 0;
    const bytes = sizes.flatMap((size, i) => {
      const whole = frame(offset, pattern(size, i));
      offset += size;
      return [...whole];
    });
    const { parser, frames } = collect();
    for (let at = 0; at < bytes.length; at += step) {
      assert.ok(parser.push(Uint8Array.from(bytes.slice(at, at + step))) !== undefined);
    }
    assert.is(parser.between, true);
    assert.is(parser.received, offset);
    assert.equal(frames, sizes.map((size, i) => pattern(size, i)));
  }));
});

test("law: FrameParser neither throws nor takes more bytes than it was given", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (contents) => {
      const { parser } = collect(10_000);
      let pushed = 0;
      for (const content of contents) {
        pushed += content.length;
        if (parser.push(content) === undefined) break;
      }
      assert.ok(parser.received <= pushed);
    }),
    { numRuns: 1_000 },
  );
});

test("law: decodeFrameHeader reads every encodeFrameHeader, in as few bytes as needed", () => {
  const bytes = fc.integer({ min: 1, max: 2 ** 32 });
  fc.assert(fc.property(fc.maxSafeNat(), bytes, fc.uint8Array({ minLength: 32, maxLength: 32 }), (offset, length, digest) => {
    const header: FrameHeader = { offset, length, encoding: "raw", digest, payload: length };
    const encoded = encodeFrameHeader(header);
    assert.ok(encoded.length <= MAX_FRAME_HEADER);
    assert.equal(decodeFrameHeader(encoded.subarray(2)), header);
  }));
});

test("encodeFrameHeader: a header takes up to 128 bytes with its length, and not one more", () => {
  // No header of five fields is as long. One of a later version might be, which is no frame; its stream fails only once that is seen.
  for (const [length, seen] of [[126, true], [127, false]] as const) {
    const { parser } = collect();
    assert.is(parser.push(Uint8Array.of(0, length)) !== undefined, seen);
    if (seen) assert.is(parser.push(new Uint8Array(length - 1)), length - 1, "it is not whole yet");
    if (seen) assert.is(parser.push(new Uint8Array(1)), undefined);
  }
});

test("FrameParser: half a frame is incomplete, and can be taken back", () => {
  const { parser, frames } = collect();
  parser.push(frame(0, pattern(100)).subarray(0, 100));
  assert.is(parser.between, false);
  assert.is(parser.takePartial()?.length, 100);
  assert.is(parser.takePartial(), undefined, "it is the caller's: to give it back twice would share it");
  assert.equal(frames, []);
});

test.run();
