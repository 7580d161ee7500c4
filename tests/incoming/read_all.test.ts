// readAll of large byte streams: one array of the announced size, filled frame by frame.
import * as assert from "uvu/assert";
import type { ByteStreamReader } from "../../mod.ts";
import { pseudorandom } from "../support/bytes.ts";
import { last, nextBytes, nextWhole, TO_BOB } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { withHostilePeer } from "../support/hub/hostile_peer.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { frame, framedDigest } from "../support/hub/raw_participant.ts";
import { rejection } from "../support/rejections.ts";

const MB = 1_000_000;
const FRAME = 50_000;
const FRAMES = 40;

const test = suite("ByteStreamReader.readAll()");

for (const size of [1_048_575, 1_048_576, 5 * MB, 30 * MB]) {
  for (const [name, options] of Object.entries({ announced: { totalSize: size }, "not announced": {} })) {
    test(`ByteStreamReader.readAll(): gathers ${size} bytes, their size ${name}`, () =>
      inPair(async (alice, bob) => {
        const whole = nextWhole(bob, "t");
        const data = pseudorandom(size);
        const writer = await alice.streamBytes({ ...TO_BOB, ...options });
        for (let at = 0; at < size; at += 700_001) await writer.write(data.subarray(at, at + 700_001));
        await writer.close();
        const got = await whole;
        assert.ok(Buffer.compare(got, data) === 0, "the same bytes");
        assert.is(got.byteLength, got.buffer.byteLength);
        assert.is(got.buffer.constructor, ArrayBuffer);
      }));
  }
}

test("ByteStreamReader.blob(): has the bytes and the MIME type, and consumes the reader", () =>
  inPair(async (alice, bob) => {
    const data = pseudorandom(MB);
    const next = nextBytes(bob, "t");
    const sent = alice.sendBytes(data, { ...TO_BOB, mimeType: "image/png" });
    const reader = await next;
    const blob = await reader.blob();
    assert.equal([blob.size, blob.type], [MB, "image/png"]);
    assert.ok(Buffer.compare(new Uint8Array(await blob.arrayBuffer()), data) === 0, "the same bytes");
    await rejection(() => reader.blob(), "closed");
    await sent;
  }));

test("ByteStreamReader.blob(): takes a signal", () =>
  inPair(async (alice, bob) => {
    const next = nextBytes(bob, "t");
    const writer = await alice.streamBytes(TO_BOB);
    const stop = new AbortController();
    const read = (await next).blob({ signal: stop.signal });
    stop.abort();
    await rejection(() => read, "aborted");
    await writer.abort();
  }));

test("ByteStreamReader.readAll(): a wrong frame in the middle of a large stream is corrupt", () =>
  withHostilePeer(async ({ room, bob, hostilePeer, readers }) => {
    const parts = Array.from({ length: FRAMES }, (_, index) => new Uint8Array(FRAME).fill(index));
    hostilePeer.open("bob", "s", 0, { size: FRAMES * FRAME, extension: { format: "framed" } });
    await room.time.advance(1);
    const read = last(readers).readAll();
    read.catch(() => {});
    for (const [index, part] of parts.entries()) {
      const digest = index === 30 ? { digest: new Uint8Array(32) } : {};
      hostilePeer.chunk("bob", "s", index, frame(index * FRAME, part, digest));
      await room.time.advance(1);
    }
    hostilePeer.trailer("bob", "s", { bytes: FRAMES * FRAME, chunks: FRAMES, digest: framedDigest(...parts) });
    await rejection(() => room.time.run(read), "corrupt");
    assert.is(bob.codec.segments.inUse, 0);
  }));

test("ByteStreamReader.readAll(): an announced size alone allocates nothing", () =>
  withHostilePeer(async ({ room, hostilePeer, readers }) => {
    const before = process.memoryUsage().arrayBuffers;
    for (let sequence = 0; sequence < 50; sequence++) {
      hostilePeer.open("bob", `s${sequence}`, sequence, { size: 200 * MB, extension: { format: "framed" } });
      hostilePeer.chunk("bob", `s${sequence}`, 0, frame(0, pseudorandom(1_000)));
    }
    await room.time.advance(1);
    const reads = readers.map((reader: ByteStreamReader) => reader.readAll().catch(() => {}));
    await room.time.advance(1);
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < 50 * MB, `${grown} bytes for ${reads.length} streams`);
    await Promise.all(readers.map((reader) => reader.cancel()));
    await room.time.run(Promise.all(reads));
  }));

test.run();
