// Contract of every codec, on Node and in a page. What holds for files by path only is in `codec_paths.ts`.
import { createHash, randomBytes } from "node:crypto";
import * as assert from "uvu/assert";
import { SEGMENT_BYTES, SEGMENT_HEADROOM } from "../../../protocol/constants.ts";
import type { FileRef } from "../../../protocol/file_ref.ts";
import type { Codec, Span } from "../../../workers/codec.ts";
import { ENCODINGS } from "../../../workers/node/zlib.ts";
import { suite } from "../harness.ts";
import { rejection } from "../rejections.ts";

/** A codec, which may be disposable. */
export type MadeCodec = Codec & Partial<AsyncDisposable>;

/** File that a codec writes. */
export interface FileToWrite {
  readonly ref: FileRef;
  /** Ends the file, which must have that many bytes, and reads it. */
  contents(bytes: number): Promise<Uint8Array>;
}

/** Files of one test. */
export interface CodecFiles {
  /** Makes a file, as jobs read it. */
  readable(content: Uint8Array): Promise<FileRef>;
  /** Makes a file to write to; it is empty. */
  writable(): Promise<FileToWrite>;
}

/** Runs a test's body with files, which are gone afterwards. */
export type WithFiles = (body: (files: CodecFiles) => Promise<void>) => Promise<void>;

/** Declares and runs the suite. */
export function codecConformance(name: string, make: () => MadeCodec, withFiles: WithFiles): void {
  const test = suite(`${name}, as a codec`);

  /** A test with a codec, which must have all segments back afterwards, and with files. */
  function check(title: string, body: (codec: Codec, files: CodecFiles) => Promise<void>): void {
    test(title, () => withFiles((files) => withCodec(make, (codec) => body(codec, files))));
  }

  for (const size of [0, 1, 14_999, 15_001, 32_768, SEGMENT_BYTES, 1_000_000]) {
    check(`Codec.slice(): gives the digest of ${size} bytes, and ends at each 15,000th`, async (codec) => {
      const bytes = new Uint8Array(randomBytes(size));
      const span = filled(codec, bytes);
      const sliced = await codec.slice(span, { chunkSize: 15_000, utf8: false });
      assert.is(sliced.bytes, size);
      assert.equal(sliced.digest, sha256(bytes));
      assert.is(sliced.ends.length, Math.ceil(size / 15_000));
      sliced.ends.forEach((end, index) => assert.is(end, Math.min(span.start + (index + 1) * 15_000, span.end)));
      span.segment.release();
    });
  }

  for (const size of [1, 32_768, SEGMENT_BYTES]) {
    check(`Codec.extract(): copies ${size} bytes, only if they match the digest`, async (codec) => {
      const bytes = new Uint8Array(randomBytes(size));
      const span = filled(codec, bytes);
      const copy = await codec.extract(span, sha256(bytes));
      assert.equal(copy, bytes);
      assert.is(copy.buffer.constructor, ArrayBuffer);
      span.segment.bytes.set(bytes.map((byte) => byte ^ 0xff), span.start);
      assert.equal(copy, bytes, "a copy");
      await rejection(() => codec.extract(span, sha256(bytes)), "corrupt");
      span.segment.release();
    });

    check(`Codec.check(): compares ${size} bytes with their digest, and changes nothing`, async (codec) => {
      const bytes = new Uint8Array(randomBytes(size));
      const span = filled(codec, bytes);
      assert.is(await codec.check(span, sha256(bytes)), undefined);
      assert.equal(span.segment.bytes.slice(span.start, span.end), bytes);
      span.segment.bytes[span.start] = (span.segment.bytes[span.start] ?? 0) ^ 1;
      await rejection(() => codec.check(span, sha256(bytes)), "corrupt");
      span.segment.release();
    });

    check(`Codec.decodeText(): decodes a text of about ${size} bytes, only if it matches the digest`, async (codec) => {
      const text = "\ufeffzażółć 🦀".repeat(Math.ceil(size / 20));
      const bytes = new TextEncoder().encode(text);
      const span = filled(codec, bytes);
      const pieces = await codec.decodeText(span, sha256(bytes));
      assert.is(pieces.join(""), text);
      assert.ok(pieces.every((piece) => piece.length <= 60_000), "pieces of at most 60,000 units");
      await rejection(() => codec.decodeText(span, sha256(new Uint8Array(3))), "corrupt");
      span.segment.release();
    });
  }

  for (const encoding of ["deflate-raw", "zstd"] as const) {
    if (!ENCODINGS.includes(encoding)) continue; // an engine without it never says that it has it: tests/compression.test.ts
    for (const thorough of [false, true]) {
      check(
        `Codec.slice(), ${encoding}, ${
          thorough ? "thorough" : "quick"
        }: compressed payloads are smaller, and decompress to the original`,
        async (codec, files) => {
          const text = JSON.stringify(
            Array.from({ length: 5_000 }, (_, index) => ({ index, name: "zażółć", square: index ** 2 })),
          );
          const bytes = new TextEncoder().encode(text).subarray(0, SEGMENT_BYTES);
          const span = filled(codec, bytes);
          const { compressed, digest } = await codec.slice(span, { encoding, thorough, sample: true });
          assert.ok(compressed !== undefined && compressed.byteLength < bytes.length / 2);
          assert.equal(digest, sha256(bytes));
          const payload = filled(codec, new Uint8Array(compressed).subarray(SEGMENT_HEADROOM));
          const how = { compressed: { encoding, length: bytes.length } };
          assert.equal(await codec.extract(payload, digest, how), bytes);
          assert.is((await codec.decodeText(payload, digest, how)).join(""), new TextDecoder().decode(bytes));
          const file = await files.writable();
          await codec.writeFile(file.ref, 0, payload, digest, how);
          assert.equal(await file.contents(bytes.length), bytes);
          span.segment.release();
          payload.segment.release();
        },
      );
    }

    check(`Codec.slice(), ${encoding}: incompressible payloads stay raw, sampled or not`, async (codec) => {
      const span = filled(codec, new Uint8Array(randomBytes(100_000)));
      for (const sample of [true, false]) {
        assert.is((await codec.slice(span, { encoding, thorough: false, sample })).compressed, undefined);
      }
      span.segment.release();
    });

    check(`Codec.extract(), ${encoding}: a payload of another length than declared, or of garbage, is corrupt`, async (codec) => {
      const zeros = new Uint8Array(200_000);
      const span = filled(codec, zeros);
      const { compressed, digest } = await codec.slice(span, { encoding, thorough: false, sample: false });
      const payload = filled(codec, new Uint8Array(compressed ?? new ArrayBuffer(SEGMENT_HEADROOM)).subarray(SEGMENT_HEADROOM));
      for (const length of [199_999, 200_001, 1]) {
        await rejection(() => codec.extract(payload, digest, { compressed: { encoding, length } }), "corrupt");
      }
      await rejection(() => codec.extract(span, digest, { compressed: { encoding, length: 200_000 } }), "corrupt");
      payload.segment.bytes.fill(255);
      await rejection(() => codec.decodeText(payload, digest, { compressed: { encoding, length: 200_000 } }), "corrupt");
      span.segment.release();
      payload.segment.release();
    });
  }

  check("Codec.slice(): gives no chunk ends without chunking options", async (codec) => {
    const span = filled(codec, new Uint8Array(50_000));
    assert.equal((await codec.slice(span)).ends, []);
    span.segment.release();
  });

  check("Codec.readFile(): reads a file to its end", async (codec, files) => {
    const content = new Uint8Array(randomBytes(500_000));
    const file = await files.readable(content);
    const segment = codec.segments.acquire();
    const ranges = [[0, 240_000, 240_000], [480_000, 100_000, 20_000], [500_000, 10, 0], [100, 5, 5]] as const;
    for (const [position, length, bytes] of ranges) {
      const cut = { chunkSize: 15_000, utf8: false };
      const read = await codec.readFile(file, { position, length }, { segment, start: SEGMENT_HEADROOM }, cut);
      assert.is(read.bytes, bytes);
      const expected = content.slice(position, position + bytes);
      assert.equal(segment.bytes.slice(SEGMENT_HEADROOM, SEGMENT_HEADROOM + bytes), expected);
      assert.equal(read.digest, sha256(expected));
      assert.is(read.ends.length, Math.ceil(bytes / 15_000));
      assert.is(read.ends.at(-1) ?? SEGMENT_HEADROOM, SEGMENT_HEADROOM + bytes, "ends count from the segment's start");
    }
    segment.release();
  });

  check("Codec.readFile(): compresses what was read", async (codec, files) => {
    const content = new TextEncoder().encode("words and words and ".repeat(10_000));
    const segment = codec.segments.acquire();
    const compression = { encoding: "deflate-raw", thorough: false, sample: true } as const;
    const into = { segment, start: SEGMENT_HEADROOM };
    const range = { position: 0, length: content.length };
    const { compressed, digest } = await codec.readFile(await files.readable(content), range, into, compression);
    const payload = filled(codec, new Uint8Array(compressed ?? new ArrayBuffer(SEGMENT_HEADROOM)).subarray(SEGMENT_HEADROOM));
    const plain = { compressed: { encoding: "deflate-raw", length: content.length } } as const;
    assert.equal(await codec.extract(payload, digest, plain), content);
    segment.release();
    payload.segment.release();
  });

  check("Codec.writeFile(): writes a file in any order", async (codec, files) => {
    const content = new Uint8Array(randomBytes(500_000));
    const file = await files.writable();
    for (const position of [300_000, 0, 299_999]) {
      const bytes = content.slice(position, position + 300_000);
      const span = filled(codec, bytes.subarray(0, SEGMENT_BYTES));
      await codec.writeFile(file.ref, position, span, sha256(bytes.subarray(0, SEGMENT_BYTES)));
      const rest = filled(codec, bytes.subarray(SEGMENT_BYTES));
      await codec.writeFile(file.ref, position + (span.end - span.start), rest);
      span.segment.release();
      rest.segment.release();
    }
    assert.equal(await file.contents(content.length), content);
  });

  check(
    "Codec.writeFile(): writes nothing of bytes that do not match their digest, or of a call that was aborted before",
    async (codec, files) => {
      const file = await files.writable();
      const span = filled(codec, new Uint8Array(40_000));
      await rejection(() => codec.writeFile(file.ref, 0, span, sha256(new Uint8Array(1))), "corrupt");
      const options = { signal: AbortSignal.abort("no need") };
      assert.is((await rejection(() => codec.writeFile(file.ref, 0, span, undefined, options), "aborted")).cause, "no need");
      assert.is((await file.contents(0)).length, 0);
      span.segment.release();
    },
  );

  check("Codec.slice(), readFile(): a call whose signal was aborted before does nothing", async (codec, files) => {
    const span = filled(codec, new Uint8Array(100_000).fill(1));
    const options = { signal: AbortSignal.abort("no need") };
    const file = await files.readable(new Uint8Array(100_000));
    const range = { position: 0, length: 100_000 };
    for (
      const call of [
        () => codec.slice(span, undefined, options),
        () => codec.readFile(file, range, span, undefined, options),
      ]
    ) assert.is((await rejection(call, "aborted")).cause, "no need");
    assert.is(span.segment.bytes[span.start], 1);
    span.segment.release();
  });

  check("Codec: an aborted call rejects at once, and its segment is released when the job is over", async (codec) => {
    const controller = new AbortController();
    const span = filled(codec, new Uint8Array(10_000_000));
    const failing = codec.slice(span, undefined, { signal: controller.signal });
    controller.abort(new Error("enough"));
    assert.is(((await rejection(() => failing, "aborted")).cause as Error).message, "enough");
    span.segment.release();
    for (let tries = 0; codec.segments.inUse > 0 && tries < 2000; tries++) await new Promise((resolve) => setTimeout(resolve, 1));
  });

  check("Codec: one signal ends many jobs", async (codec) => {
    const controller = new AbortController();
    const spans = Array.from({ length: 30 }, () => filled(codec, new Uint8Array(1_000_000)));
    const failing = spans.map((span) => rejection(() => codec.slice(span, undefined, { signal: controller.signal }), "aborted"));
    controller.abort("enough");
    for (const error of await Promise.all(failing)) assert.is(error.cause, "enough");
    for (const { segment } of spans) segment.release();
    for (let tries = 0; codec.segments.inUse > 0 && tries < 2000; tries++) await new Promise((resolve) => setTimeout(resolve, 1));
  });

  check("Codec: concurrent jobs each have their own result", async (codec) => {
    const spans = Array.from({ length: 50 }, (_, index) => filled(codec, new Uint8Array(20_000 + 1_000 * index).fill(index)));
    const digests = await Promise.all(spans.map(async (span) => (await codec.slice(span)).digest));
    spans.forEach((span, index) => {
      assert.equal(digests[index], sha256(span.segment.bytes.subarray(span.start, span.end)));
      span.segment.release();
    });
  });

  test.run();
}

/** Runs a test's body with a codec, which must have all segments back afterwards. */
export async function withCodec(make: () => MadeCodec, body: (codec: Codec) => Promise<void>): Promise<void> {
  const codec = make();
  try {
    await body(codec);
    assert.is(codec.segments.inUse, 0, "segments in use");
  } finally {
    await codec[Symbol.asyncDispose]?.();
  }
}

/** A segment that holds the bytes, with room before them. */
export function filled(codec: Codec, bytes: Uint8Array): Span {
  const segment = codec.segments.acquire(SEGMENT_HEADROOM + bytes.length);
  segment.bytes.set(bytes, SEGMENT_HEADROOM);
  return { segment, start: SEGMENT_HEADROOM, end: SEGMENT_HEADROOM + bytes.length };
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}
