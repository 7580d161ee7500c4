// Readers that do not end cleanly, and the limit of `readAll`.
import * as assert from "uvu/assert";
import type { ByteStreamReader, RuntimeOptions, TextStreamReader } from "../../mod.ts";
import { last, TO_BOB } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { type HubFixture, inVirtualTime, type Member } from "../support/hub/hub_fixture.ts";
import { digestOf, type RawParticipant } from "../support/hub/raw_participant.ts";

const test = suite("StreamReader: ends");

interface Readers {
  room: HubFixture;
  alice: Member;
  bob: Member;
  dave: RawParticipant;
  texts: TextStreamReader[];
  bytes: ByteStreamReader[];
}

/** Alice, Dave of another SDK, and Bob, who gathers the readers of topic "t". */
async function withReaders(body: (stage: Readers) => Promise<void>, options: Partial<RuntimeOptions> = {}): Promise<void> {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    const bob = await room.join("bob", options);
    const dave = room.raw("dave");
    const texts: TextStreamReader[] = [];
    const bytes: ByteStreamReader[] = [];
    bob.runtime.registerTextStreamHandler("t", (reader) => void texts.push(reader));
    bob.runtime.registerByteStreamHandler("t", (reader) => void bytes.push(reader));
    await room.time.advance(1_000);
    await body({ room, alice, bob, dave, texts, bytes });
  });
}

const LIMIT = { limits: { readAllBytes: 1_000 } };

test("StreamReader.readAll() gathers as much as its limit allows, of text and bytes, announced or not", () =>
  withReaders(async ({ room, alice, texts, bytes }) => {
    for (const length of [1_000, 1_001]) {
      const check = async (reader: { readAll(): Promise<{ length: number }> }): Promise<void> => {
        if (length === 1_000) assert.is((await room.time.run(reader.readAll())).length, length);
        else await rejection(() => room.time.run(reader.readAll()), "too-large");
      };
      await room.time.run(alice.runtime.sendText("x".repeat(length), TO_BOB));
      await room.time.advance(10);
      await check(last(texts));
      const text = await room.time.run(alice.runtime.streamText(TO_BOB));
      await room.time.run(text.write("x".repeat(length)));
      await room.time.run(text.close());
      await room.time.advance(10);
      await check(last(texts));
      await room.time.run(alice.runtime.sendBytes(pattern(length), { ...TO_BOB, confirm: false }));
      await room.time.advance(10);
      await check(last(bytes));
      const writer = await room.time.run(alice.runtime.streamBytes(TO_BOB));
      await room.time.run(writer.write(pattern(length)));
      await room.time.run(writer.close());
      await room.time.advance(10);
      await check(last(bytes));
    }
    assert.equal([texts.length, bytes.length], [4, 4]);
  }, LIMIT));

test("StreamReader.readAll() takes nothing of a stream announced as too large", () =>
  withReaders(async ({ room, alice, texts, bytes }) => {
    for (const [kind, readers] of [["text", texts], ["bytes", bytes]] as const) {
      const options = { ...TO_BOB, totalSize: 5_000 };
      const writer = kind === "text" ? await room.time.run(alice.runtime.streamText(options)) : undefined;
      const other = kind === "bytes" ? await room.time.run(alice.runtime.streamBytes(options)) : undefined;
      await room.time.run(writer?.write("x") ?? other?.write(pattern(1)) ?? Promise.resolve());
      await room.time.advance(100);
      const reader = last<TextStreamReader | ByteStreamReader>(readers);
      await rejection(() => reader.readAll(), "too-large");
      assert.is(reader.progress.received, 0);
      await room.time.advance(10);
      await rejection(() => writer?.write("x") ?? other?.write(pattern(1)), "too-large");
    }
  }, LIMIT));

test("StreamReader: leaving a loop cancels the stream at any point, as does return() of an unused iterator", () =>
  withReaders(async ({ room, alice, bob, bytes }) => {
    for (const way of ["first", "waiting", "never"]) {
      const writer = await room.time.run(alice.runtime.streamBytes(TO_BOB));
      await room.time.run(writer.write(pattern(300_000)));
      await room.time.advance(20);
      const iterator = last(bytes)[Symbol.asyncIterator]();
      if (way !== "never") await room.time.run(iterator.next());
      if (way === "waiting") { for (let i = 0; i < 30; i++) iterator.next().catch(() => {}); }
      await room.time.advance(20);
      await room.time.run(Promise.resolve(iterator.return?.()));
      await rejection(() => writer.write(pattern(1)), "cancelled");
      assert.is(bob.codec.segments.inUse, 0, way);
    }
  }));

test("StreamReader.readable: cancel() releases blocks that are being decoded", () =>
  withReaders(async ({ room, alice, bob, bytes }) => {
    for (const mode of [undefined, "byob"] as const) {
      const writer = await room.time.run(alice.runtime.streamBytes(TO_BOB));
      await room.time.run(writer.write(pattern(900_000)));
      await room.time.advance(20);
      const { readable } = last(bytes);
      const reader = mode === undefined ? readable.getReader() : readable.getReader({ mode });
      await room.time.run(reader.read(new Uint8Array(10)));
      await room.time.run(reader.cancel("enough"));
      await room.time.advance(20);
      assert.is(bob.codec.segments.inUse, 0);
      assert.is((await rejection(() => writer.write(pattern(1)), "cancelled")).reason, "enough");
    }
  }));

test("TextStreamReader: keeps the sender's byte order mark, of Millrace and other SDKs, framed or not", () =>
  withReaders(async ({ room, alice, dave, texts }) => {
    const mark = "\uFEFF";
    for (const text of [`${mark}x`, `${mark}${"x".repeat(50_000)}`, mark]) {
      await room.time.run(alice.runtime.sendText(text, TO_BOB));
      await room.time.advance(10);
      assert.is(await room.time.run(last(texts).readAll()), text);
    }
    dave.open("bob", "s", 0, { kind: "text", extension: false });
    dave.chunk("bob", "s", 0, Uint8Array.of(0xef, 0xbb));
    dave.chunk("bob", "s", 1, Uint8Array.of(0xbf, 0x78));
    dave.trailer("bob", "s", undefined);
    await room.time.advance(10);
    assert.is(await room.time.run(last(texts).readAll()), `${mark}x`);
  }));

test("TextStreamReader: no part of a text is empty, wherever its sender cuts", () =>
  withReaders(async ({ room, alice, dave, texts }) => {
    const parts: string[] = [];
    const read = async (): Promise<void> => {
      for await (const part of last(texts)) parts.push(part);
    };
    const whole = new TextEncoder().encode("a€b😀");
    dave.open("bob", "s", 0, { kind: "text", extension: false });
    for (const [index, byte] of whole.entries()) dave.chunk("bob", "s", index, Uint8Array.of(byte));
    dave.trailer("bob", "s", undefined);
    await room.time.advance(10);
    await room.time.run(read());
    const writer = await room.time.run(alice.runtime.streamText(TO_BOB));
    for (const text of ["", "c", "\ud83d", "\ude00", ""]) await room.time.run(writer.write(text));
    await room.time.run(writer.close());
    await room.time.advance(10);
    await room.time.run(read());
    assert.is(parts.join(""), "a€b😀c😀");
    assert.ok(!parts.includes(""), JSON.stringify(parts));
  }));

test("TextStreamReader: a code point that another SDK leaves unfinished is U+FFFD", () =>
  withReaders(async ({ room, dave, texts }) => {
    dave.open("bob", "s", 0, { kind: "text", extension: false });
    dave.chunk("bob", "s", 0, Uint8Array.of(0x78, 0xe2, 0x82));
    dave.trailer("bob", "s", undefined);
    await room.time.advance(10);
    assert.is(await room.time.run(last(texts).readAll()), "x\uFFFD");
  }));

test("StreamReader: a size of 0 from another SDK is no promise, as some give it to streams of unknown size; from Millrace it is", () =>
  withReaders(async ({ room, dave, bytes }) => {
    dave.open("bob", "s", 0, { size: 0, extension: false });
    dave.chunk("bob", "s", 0, pattern(3));
    dave.trailer("bob", "s", undefined);
    await room.time.advance(10);
    assert.equal(await room.time.run(last(bytes).readAll()), pattern(3));
    dave.hello("bob");
    await room.time.advance(1);
    dave.open("bob", "own", 0, { size: 0 });
    dave.chunk("bob", "own", 0, pattern(3));
    await room.time.advance(10);
    await rejection(() => room.time.run(last(bytes).readAll()), "too-large");
  }));

test("StreamReader: corrupt bytes fail the reader, and its sender is told", () =>
  withReaders(async ({ room, dave, bytes }) => {
    dave.hello("bob");
    await room.time.advance(1);
    dave.open("bob", "s", 0);
    dave.chunk("bob", "s", 0, pattern(10));
    dave.trailer("bob", "s", { bytes: 10, chunks: 1, digest: digestOf(pattern(11)) });
    await room.time.advance(1);
    const error = await rejection(() => room.time.run(last(bytes).readAll()), "corrupt");
    await room.time.advance(1);
    const rows = dave.statesFrom("bob").flatMap(({ receiving }) => receiving);
    assert.is(rows.at(-1)?.end, "corrupt");
    assert.is(last(bytes).actor.getSnapshot().value, "failed");
    assert.is(await last(bytes).closed.catch((cause: unknown) => cause), error);
    await last(bytes).cancel("too late");
    await room.time.advance(1);
    assert.is(dave.statesFrom("bob").flatMap(({ receiving }) => receiving).at(-1)?.end, "corrupt");
  }));

test.run();
