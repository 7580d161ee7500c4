// Contract of every codec. Called with a function that makes a codec, which may be disposable.
import { createHash, randomBytes } from "node:crypto";
import { readFile, rename, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { SEGMENT_BYTES, SEGMENT_HEADROOM } from "../../../protocol/constants.ts";
import type { FileRef } from "../../../protocol/file_ref.ts";
import type { Codec, Span } from "../../../workers/codec.ts";
import { ENCODINGS } from "../../../workers/node/zlib.ts";
import { suite } from "../harness.ts";
import { rejection } from "../rejections.ts";
import { inTemporaryFolder } from "../temporary_folder.ts";

/** Declares and runs the suite. */
export function codecConformance(name: string, make: () => Codec & Partial<AsyncDisposable>): void {
  const test = suite(`${name}, as a codec`);

  /** A test with a codec, which must have all segments back afterwards, and with a folder. */
  function check(title: string, body: (codec: Codec, folder: string) => Promise<void>): void {
    test(title, () =>
      inTemporaryFolder(async (folder) => {
        const codec = make();
        try {
          await body(codec, folder);
          assert.is(codec.segments.inUse, 0, "segments in use");
        } finally {
          await codec[Symbol.asyncDispose]?.();
        }
      }));
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
      assert.is(await codec.decodeText(span, sha256(bytes)), text);
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
        async (codec, folder) => {
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
          assert.is(await codec.decodeText(payload, digest, how), new TextDecoder().decode(bytes));
          const file = await written(join(folder, "f"), new Uint8Array(0));
          await codec.writeFile(file, 0, payload, digest, how);
          assert.equal(new Uint8Array(await readFile(file.path)), bytes);
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

  check("Codec.readFile(): reads a file to its end", async (codec, folder) => {
    const content = randomBytes(500_000);
    const file = await written(join(folder, "file"), content);
    const segment = codec.segments.acquire();
    for (
      const [position, length, bytes] of [[0, 240_000, 240_000], [480_000, 100_000, 20_000], [500_000, 10, 0], [
        100,
        5,
        5,
      ]] as const
    ) {
      const cut = { chunkSize: 15_000, utf8: false };
      const read = await codec.readFile(file, { position, length }, { segment, start: SEGMENT_HEADROOM }, cut);
      assert.is(read.bytes, bytes);
      const expected = content.subarray(position, position + bytes);
      assert.ok(expected.equals(segment.bytes.subarray(SEGMENT_HEADROOM, SEGMENT_HEADROOM + bytes)));
      assert.equal(read.digest, sha256(expected));
      assert.is(read.ends.length, Math.ceil(bytes / 15_000));
    }
    segment.release();
  });

  check("Codec.writeFile(): writes a file in any order", async (codec, folder) => {
    const content = randomBytes(500_000);
    const file = await written(join(folder, "file"), Buffer.alloc(0));
    for (const position of [300_000, 0, 299_999]) {
      const bytes = new Uint8Array(content.subarray(position, Math.min(position + 300_000, content.length)));
      const span = filled(codec, bytes.subarray(0, SEGMENT_BYTES));
      await codec.writeFile(file, position, span, sha256(bytes.subarray(0, SEGMENT_BYTES)));
      const rest = filled(codec, bytes.subarray(SEGMENT_BYTES));
      await codec.writeFile(file, position + (span.end - span.start), rest);
      span.segment.release();
      rest.segment.release();
    }
    assert.ok(content.equals(await readFile(file.path)));
  });

  check("Codec.writeFile(): does not write bytes that do not match their digest", async (codec, folder) => {
    const file = await written(join(folder, "file"), Buffer.from("as it was"));
    const span = filled(codec, new Uint8Array(40_000));
    await rejection(() => codec.writeFile(file, 0, span, sha256(new Uint8Array(1))), "corrupt");
    assert.is(await readFile(file.path, "utf8"), "as it was");
    span.segment.release();
  });

  check("Codec.readFile(), writeFile(): a replaced file is neither read nor written", async (codec, folder) => {
    const file = await written(join(folder, "file"), Buffer.from("first"));
    await written(join(folder, "other"), Buffer.from("other"));
    await rename(join(folder, "other"), file.path);
    const span = filled(codec, new Uint8Array(5));
    await rejection(() => codec.writeFile(file, 0, span), "file-error");
    await rejection(() => codec.readFile(file, { position: 0, length: 5 }, span), "file-error");
    assert.is(await readFile(file.path, "utf8"), "other");
    span.segment.release();
  });

  check("Codec.writeFile(): never writes through a symbolic link, even to the same file", async (codec, folder) => {
    const file = await written(join(folder, "file"), Buffer.from("first"));
    await rename(file.path, join(folder, "moved"));
    await symlink(join(folder, "moved"), file.path);
    const span = filled(codec, new Uint8Array(5));
    await rejection(() => codec.writeFile(file, 0, span), "file-error");
    assert.is(await readFile(file.path, "utf8"), "first");
    span.segment.release();
  });

  check("Codec.readFile(), writeFile(): the file system's error is the cause", async (codec, folder) => {
    const file = await written(join(folder, "file"), Buffer.from("first"));
    await rm(file.path);
    const span = filled(codec, new Uint8Array(5));
    for (const call of [() => codec.writeFile(file, 0, span), () => codec.readFile(file, { position: 0, length: 5 }, span)]) {
      const error = await rejection(call, "file-error");
      assert.is((error.cause as NodeJS.ErrnoException).code, "ENOENT");
    }
    const directory: FileRef = { ...file, path: folder };
    await rejection(() => codec.readFile(directory, { position: 0, length: 5 }, span), "file-error");
    span.segment.release();
  });

  check("Codec.readFile(): reads a shrunken file up to its end", async (codec, folder) => {
    const file = await written(join(folder, "file"), randomBytes(10_000));
    await truncate(file.path, 10);
    const segment = codec.segments.acquire();
    assert.is((await codec.readFile(file, { position: 0, length: 10_000 }, { segment, start: 0 })).bytes, 10);
    segment.release();
  });

  check("Codec: a call whose signal was aborted before does nothing", async (codec, folder) => {
    const file = await written(join(folder, "file"), Buffer.from("as it was"));
    const span = filled(codec, new Uint8Array(100_000));
    const options = { signal: AbortSignal.abort("no need") };
    for (const call of [() => codec.slice(span, undefined, options), () => codec.writeFile(file, 0, span, undefined, options)]) {
      assert.is((await rejection(call, "aborted")).cause, "no need");
    }
    assert.is(await readFile(file.path, "utf8"), "as it was");
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

/** A segment that holds the bytes, with room before them. */
export function filled(codec: Codec, bytes: Uint8Array): Span {
  const segment = codec.segments.acquire(SEGMENT_HEADROOM + bytes.length);
  segment.bytes.set(bytes, SEGMENT_HEADROOM);
  return { segment, start: SEGMENT_HEADROOM, end: SEGMENT_HEADROOM + bytes.length };
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

async function written(path: string, content: Uint8Array): Promise<FileRef> {
  await writeFile(path, content);
  const { dev, ino } = await stat(path, { bigint: true });
  return { path, device: String(dev), inode: String(ino) };
}
