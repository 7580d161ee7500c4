// Memory that is held for a sender is bounded by real use, whatever the sender claims.
import * as assert from "uvu/assert";
import { BLOCK_OVERHEAD } from "../../protocol/memory_account.ts";
import type { ByteStreamReader, StreamError } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { inVirtualTime, type Member } from "../support/hub/hub_fixture.ts";
import { frame, type RawParticipant } from "../support/hub/raw_participant.ts";
import { incomingOf } from "../support/hub/incoming_of.ts";

const test = suite("held memory");

const limits = { receiveWindow: 100_000, senderWindow: 100_000, streamsPerSender: 50, foreignQueue: 500_000 };
/** Twice the credit, and a chunk for each stream. */
const BOUND = 2 * 100_000 + 50 * (15_000 + BLOCK_OVERHEAD);

/** Unread readers of topic "t" at Bob, and the ends of their streams. */
function hoard({ runtime }: Member): { readers: ByteStreamReader[]; ends: string[] } {
  const readers: ByteStreamReader[] = [];
  const ends: string[] = [];
  runtime.registerByteStreamHandler("t", (reader) => {
    readers.push(reader);
    reader.closed.catch((error: StreamError) => ends.push(error.code));
  });
  runtime.registerByteStreamHandler("read", async (reader) => void await reader.readAll());
  return { readers, ends };
}

/** Bytes that the open streams hold, by their accounts. */
function charged(readers: readonly ByteStreamReader[]): number {
  return readers.reduce((sum, reader) => sum + incomingOf(reader).content.charged, 0);
}

/** Many frames in one content. */
function frames(from: number, count: number, length: number, payload: Uint8Array, encoding: "raw" | "deflate-raw"): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    parts.push(frame(from + i * length, payload, { length, encoding, payload: payload.length }));
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Ways of a hostile sender to make Bob hold memory: each fills one stream as far as possible. */
const FLOODS: Readonly<Record<string, (eve: RawParticipant, streamId: string, sequence: number) => void>> = {
  "compressed frames of two bytes": (eve, streamId, sequence) => {
    eve.open("bob", streamId, sequence, { extension: { format: "framed" } });
    const payload = new Uint8Array([3, 0]);
    for (let chunk = 0; chunk < 4; chunk++) {
      eve.chunk("bob", streamId, chunk, frames(chunk * 2_000, 1_000, 2, payload, "deflate-raw"));
    }
  },
  "frames just too large for a segment": (eve, streamId, sequence) => {
    eve.open("bob", streamId, sequence, { extension: { format: "framed" } });
    for (let chunk = 0; chunk < 6; chunk++) {
      eve.chunk("bob", streamId, chunk, frames(chunk * 16_500, 1, 16_500, pattern(16_500), "raw"));
    }
  },
  "chunks behind a gap": (eve, streamId, sequence) => {
    eve.open("bob", streamId, sequence, { extension: { format: "plain" } });
    for (let chunk = 1; chunk < 7; chunk++) eve.chunk("bob", streamId, chunk, pattern(15_000));
  },
  "empty chunks behind a gap": (eve, streamId, sequence) => {
    eve.open("bob", streamId, sequence, { extension: { format: "plain" } });
    for (let chunk = 1; chunk < 3_000; chunk++) eve.chunk("bob", streamId, chunk, new Uint8Array());
  },
  "large headers and trailers": (eve, streamId, sequence) => {
    eve.open("bob", streamId, sequence, { extension: { format: "plain" }, attributes: { long: "h".repeat(14_000) } });
    eve.chunk("bob", streamId, 0, new Uint8Array(10));
    eve.send({ type: "trailer", streamId, reason: "", attributes: { long: "t".repeat(60_000) } }, "bob");
  },
  "plain chunks of one byte": (eve, streamId, sequence) => {
    eve.open("bob", streamId, sequence, { extension: { format: "plain" } });
    for (let chunk = 0; chunk < 3_000; chunk++) eve.chunk("bob", streamId, chunk, new Uint8Array(1));
  },
};

for (const [what, flood] of Object.entries(FLOODS)) {
  test(`MemoryAccount: ${what}: no more is held than the account allows, and others are not disturbed`, async () => {
    await inVirtualTime(async (room) => {
      const bob = await room.join("bob", { limits });
      const { readers } = hoard(bob);
      const eve = room.raw("eve");
      eve.hello("bob");
      await room.time.advance(1);
      for (let i = 0; i < 50; i++) {
        flood(eve, `s-${i}`, i);
        await room.time.advance(0);
        const held = charged(readers);
        assert.ok(held <= BOUND, `${held} bytes are held, of ${BOUND}`);
        assert.ok(bob.codec.segments.inUse <= 2 * BOUND, `${bob.codec.segments.inUse} bytes of segments are in use`);
      }
      const alice = await room.join("alice");
      await room.time.run(alice.runtime.sendBytes(pattern(300_000), { topic: "read", destinationIdentities: ["bob"] }));
      for (const reader of readers) await reader.cancel();
      assert.is(charged(readers), 0);
      assert.is(bob.codec.segments.inUse, 0);
    });
  });
}

test("MemoryAccount: a frame without memory ends its stream, and takes none", async () => {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob", { limits: { ...limits, streamsPerSender: 1 } });
    const { ends } = hoard(bob);
    const eve = room.raw("eve");
    eve.hello("bob");
    await room.time.advance(1);
    eve.open("bob", "s", 0, { extension: { format: "framed" }, attributes: { long: "h".repeat(14_000) } });
    for (let index = 0; index < 5; index++) {
      eve.chunk("bob", "s", index, frames(index * 16_500, 1, 16_500, pattern(16_500), "raw"));
    }
    await room.time.advance(1);
    assert.equal(ends, []);
    assert.ok(bob.codec.segments.inUse > 0);
    eve.chunk("bob", "s", 5, frames(5 * 16_500, 1, 16_500, pattern(16_500), "raw"));
    await room.time.advance(1);
    assert.equal(ends, ["refused"]);
    assert.is(bob.codec.segments.inUse, 0);
  });
});

test("MemoryAccount: streams of another SDK are bounded in total; reading makes room again", async () => {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob", { limits });
    const { readers, ends } = hoard(bob);
    const plain = room.raw("plain");
    const send = (streamId: string, bytes: number): void => {
      plain.open("bob", streamId, 0, { extension: false });
      for (let at = 0, index = 0; at < bytes; at += 15_000, index++) {
        plain.chunk("bob", streamId, index, pattern(Math.min(15_000, bytes - at)));
      }
    };
    for (let i = 0; i < 8; i++) send(`s-${i}`, 400_000);
    await room.time.advance(1);
    const held = charged(readers);
    assert.ok(held > 400_000 && held <= 500_000 * 1.125 + 65_536, `${held} bytes are held`);
    assert.ok(ends.length >= 6 && ends.every((end) => end === "too-large"), ends.join());
    for (const reader of readers) await reader.cancel();
    send("after", 500_000);
    plain.trailer("bob", "after", undefined);
    await room.time.advance(1);
    const last = readers.at(-1) as ByteStreamReader;
    assert.is((await room.time.run(last.readAll())).length, 500_000);
  });
});

test.run();
