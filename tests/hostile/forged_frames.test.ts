// Frames, chunks and sizes that contradict themselves: their stream ends, and no memory is spent on them.
import * as assert from "uvu/assert";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { last } from "../support/handlers.ts";
import { withHostilePeer } from "../support/hub/hostile_peer.ts";
import { digestOf, frame, framedDigest } from "../support/hub/raw_participant.ts";

const test = suite("forged frames");

const FRAMES: [what: string, contents: Uint8Array[], code: "corrupt" | "refused" | "too-large" | "incomplete"][] = [
  ["a wrong offset", [frame(1, pattern(100))], "corrupt"],
  ["a wrong digest of a small frame", [frame(0, pattern(100), { digest: new Uint8Array(32) })], "corrupt"],
  ["a wrong digest of a large frame", cut(frame(0, pattern(100_000), { digest: new Uint8Array(32) })), "corrupt"],
  ["a length that is not the payload's", [frame(0, pattern(100), { length: 99 })], "corrupt"],
  ["no length", [frame(0, new Uint8Array(0))], "corrupt"],
  ["a huge length", [frame(0, pattern(100), { length: 2 ** 50, payload: 2 ** 50 })], "corrupt"],
  ["a huge offset", [frame(2 ** 52, pattern(100))], "corrupt"],
  ["a repeat of the first", [frame(0, pattern(100)), frame(0, pattern(100))], "corrupt"],
  ["a short digest", [frame(0, pattern(100), { digest: new Uint8Array(31) })], "corrupt"],
  ["no frame at all", [pattern(1_000)], "corrupt"],
  ["a header longer than there is", [Uint8Array.of(0xff, 0xff, 1, 2, 3)], "corrupt"],
  ["half a frame", [frame(0, pattern(100)).subarray(0, 120)], "incomplete"],
  ["half a header", [frame(0, pattern(100)).subarray(0, 20)], "incomplete"],
];

test("FrameParser: frames out of order end their stream, and hold no memory", async () => {
  for (const [what, contents, code] of FRAMES) {
    await withHostilePeer(async ({ room, bob, hostilePeer, readers }) => {
      hostilePeer.open("bob", what, 0, { extension: { format: "framed" } });
      contents.forEach((content, index) => hostilePeer.chunk("bob", what, index, content));
      hostilePeer.trailer("bob", what, { bytes: 100, chunks: contents.length, digest: framedDigest(pattern(100)) });
      await room.time.advance(1);
      await rejection(() => room.time.run(last(readers).readAll()), code).catch((error) => {
        throw new Error(`Of ${what}`, { cause: error });
      });
      assert.is(bob.codec.segments.inUse, 0, what);
    });
  }
});

test("FrameParser: a claimed size allocates nothing", async () => {
  await withHostilePeer(async ({ room, bob, hostilePeer, readers }) => {
    const before = bob.codec.segments.inUse;
    for (let i = 0; i < 1_000; i++) {
      hostilePeer.open("bob", `s${i}`, i, { size: 4_999_999_999, extension: { format: "framed" } });
      hostilePeer.chunk("bob", `s${i}`, 0, frame(0, pattern(1), { length: 240_000, payload: 240_000 }));
    }
    await room.time.advance(1);
    assert.is(readers.length, 1_000);
    const claimed = bob.codec.segments.inUse - before;
    assert.ok(claimed <= 17 * 1024 * 1024, `${claimed} bytes for 1,000 bytes`);
    hostilePeer.open("bob", "huge", 1_000, { size: Number.MAX_SAFE_INTEGER });
    await room.time.advance(1);
    assert.is(bob.errors.at(-1)?.code, "too-large");
  });
});

test("ReceiveBuffer: tiny chunks and frames that nobody reads take memory in proportion", async () => {
  await withHostilePeer(async ({ room, bob, hostilePeer, readers }) => {
    hostilePeer.open("bob", "a", 0);
    hostilePeer.open("bob", "b", 1, { extension: { format: "framed" } });
    const one = Uint8Array.of(65);
    for (let i = 0; i < 5_000; i++) {
      hostilePeer.chunk("bob", "a", i, one);
      hostilePeer.chunk("bob", "b", i, frame(i, one));
    }
    hostilePeer.trailer("bob", "a", { bytes: 5_000, chunks: 5_000, digest: digestOf(new Uint8Array(5_000).fill(65)) });
    hostilePeer.trailer("bob", "b", {
      bytes: 5_000,
      chunks: 5_000,
      digest: framedDigest(...Array.from({ length: 5_000 }, () => one)),
    });
    await room.time.advance(1);
    assert.is(bob.codec.segments.inUse, 0);
    for (const reader of readers) {
      let parts = 0;
      let bytes = 0;
      for await (const part of reader) {
        assert.is(part.buffer.byteLength, part.length);
        bytes += part.length;
        parts++;
      }
      assert.is(bytes, 5_000);
      assert.ok(parts < 100, `${parts} parts`);
    }
  });
});

function cut(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 15_000) parts.push(bytes.subarray(at, at + 15_000));
  return parts;
}

test.run();
