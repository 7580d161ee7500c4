// Writers: order, room, sizes, wrong types, and the caller's arrays.
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import type { ByteStreamWriter, RuntimeOptions, TextStreamWriter } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { collectTexts, nextBytes, nextText, nextWhole } from "../support/handlers.ts";
import { inPair, inRealTime } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";

const test = suite("StreamWriter");

const CODECS: readonly [name: string, options: Partial<RuntimeOptions>][] = [["by the pool", {}], ["inline", { pool: false }]];

for (const [codec, options] of CODECS) {
  test(`StreamWriter.write(): an array may be reused once write() has resolved, ${codec}`, () =>
    inPair(async (alice, bob) => {
      const received = nextWhole(bob);
      const writer = await alice.streamBytes();
      const array = new Uint8Array(300_000);
      for (let round = 1; round <= 5; round++) {
        array.fill(round);
        await writer.write(array);
        assert.is(array.length, 300_000); // not detached
        array.fill(0xff);
      }
      await writer.close();
      const bytes = await received;
      assert.is(bytes.length, 1_500_000);
      for (let round = 1; round <= 5; round++) {
        assert.ok(bytes.subarray((round - 1) * 300_000, round * 300_000).every((byte) => byte === round), `round ${round}`);
      }
    }, { runtime: options }));

  test(`StreamWriter.write(): an array of less than a chunk may be reused once write() has resolved, ${codec}`, () =>
    inPair(async (alice, bob) => {
      const received = nextWhole(bob);
      const writer = await alice.streamBytes({ totalSize: 30 });
      const array = new Uint8Array(10);
      for (let round = 1; round <= 3; round++) {
        array.fill(round);
        await writer.write(array);
        array.fill(0xff);
      }
      await writer.close();
      assert.equal([...(await received)], [...Array(10).fill(1), ...Array(10).fill(2), ...Array(10).fill(3)]);
    }, { runtime: options }));

  test(`sendBytes: the given array is not changed, and may be reused afterwards, ${codec}`, () =>
    inPair(async (alice, bob) => {
      const received = nextWhole(bob);
      const array = pattern(700_000);
      await alice.sendBytes(array, { confirm: false });
      assert.equal(array, pattern(700_000));
      array.fill(0);
      assert.equal(await received, pattern(700_000));
    }, { runtime: options }));

  for (const size of [10, 50_000, 700_000]) {
    test(`StreamReader: arrays of two receivers are not shared, at ${size} bytes, ${codec}`, () =>
      inRealTime(async (room) => {
        const { runtime: alice } = await room.join("alice");
        const first = nextWhole((await room.join("bob")).runtime);
        const reader = nextBytes((await room.join("carol")).runtime);
        const writer = await alice.streamBytes();
        await writer.write(pattern(size));
        await writer.close();
        (await first).fill(0);
        assert.equal(await (await reader).readAll(), pattern(size));
      }, { runtime: options }));
  }

  test(`StreamWriter.write(): writes that were not awaited keep their order, ${codec}`, () =>
    inPair(async (alice, bob) => {
      const heard = nextText(bob);
      const writer = await alice.streamText();
      const writes = Array.from({ length: 200 }, (_, i) => writer.write(`${i} ${"x".repeat(i * 40)}\n`));
      await writer.close();
      await Promise.all(writes);
      const lines = (await (await heard).readAll()).trimEnd().split("\n");
      assert.equal(lines.map((line) => Number.parseInt(line)), Array.from({ length: 200 }, (_, i) => i));
    }, { runtime: options }));

  test(`sendText: a text of any size arrives unchanged, ${codec}`, () =>
    inPair(async (alice, bob) => {
      const texts = collectTexts(bob);
      for (
        const text of ["", "a", "ä".repeat(7_500), "€".repeat(5_001), "😀".repeat(100_000), `\uFEFFmark${"z".repeat(14_998)}`]
      ) {
        const info = await alice.sendText(text, { confirm: true });
        assert.is(info.size, new TextEncoder().encode(text).length);
        assert.ok(texts.pop() === text);
      }
    }, { runtime: options }));
}

test("TextStreamWriter: a lone surrogate becomes U+FFFD, a pair split over two writes is joined", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob);
    await alice.sendText("a\ud83db", { confirm: true });
    const writer = await alice.streamText({ confirm: true });
    for (const part of ["x\ud83d", "\ude00y", "\ude00", "\ud83d", "", "\ude00", "\ud83d"]) await writer.write(part);
    await writer.close();
    assert.equal(texts, ["a\uFFFDb", "x😀y\uFFFD😀\uFFFD"]);
  }));

test("TextStreamWriter: a pair split over two writes counts as 4 bytes", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob);
    const writer = await alice.streamText({ totalSize: 7, confirm: true });
    await writer.write("\ud83d");
    await writer.write("\ude00\ud83d"); // the last is lone: 3 bytes
    await writer.close();
    assert.equal(texts, ["😀\uFFFD"]);
  }));

test("TextStreamWriter: a lone surrogate at the end counts against the total size", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText({ totalSize: 2 });
    await writer.write("ab\ud83d").catch(() => {});
    await rejection(() => writer.close(), "too-large");
    await rejection(async () => await (await heard).readAll(), "aborted");
  }));

test("totalSize: a write beyond that rejects, and the stream is aborted", () =>
  inPair(async (alice, bob) => {
    const texts = nextText(bob, "t");
    const bytes = nextBytes(bob, "b");
    const text = await alice.streamText({ topic: "t", totalSize: 5 });
    const binary = await alice.streamBytes({ topic: "b", totalSize: 5 });
    await text.write("four");
    await rejection(() => text.write("ü"), "too-large");
    await rejection(() => text.write("x"), "too-large");
    await rejection(() => text.close(), "too-large");
    await rejection(() => binary.write(pattern(6)), "too-large");
    await rejection(async () => await (await texts).readAll(), "aborted");
    await rejection(async () => await (await bytes).readAll(), "aborted");
    assert.is(text.actor.getSnapshot().value, "failed");
  }));

test("totalSize: closing below that rejects, and readers get incomplete", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob, "t");
    const saved = nextBytes(bob, "b");
    const text = await alice.streamText({ topic: "t", totalSize: 5 });
    await text.write("four");
    await rejection(() => text.close(), "incomplete");
    const binary = await alice.streamBytes({ topic: "b", totalSize: 50_000 });
    await binary.write(pattern(40_000));
    await rejection(() => binary.close(), "incomplete");
    await rejection(async () => await (await heard).readAll(), "incomplete");
    await rejection(async () => await (await saved).readAll(), "incomplete");
  }));

test("totalSize: exactly that size is right, also if 0", () =>
  inPair(async (alice, bob) => {
    const received: number[] = [];
    bob.registerByteStreamHandler("", async (reader) =>
      void received.push(reader.info.size ?? -1, (await reader.readAll()).length));
    for (const totalSize of [0, 1, 15_000, 15_001, 240_000]) {
      const writer = await alice.streamBytes({ totalSize, confirm: true });
      await writer.write(pattern(totalSize));
      await writer.close();
    }
    assert.equal(received, [0, 0, 1, 1, 15_000, 15_000, 15_001, 15_001, 240_000, 240_000]);
  }));

test("totalSize: finite sends of another size send nothing", () =>
  inPair(async (alice, _bob, room) => {
    const dave = room.raw("dave");
    const path = fileURLToPath(import.meta.url);
    await rejection(() => alice.sendText("four", { totalSize: 5 }), "incomplete");
    await rejection(() => alice.sendText("four", { totalSize: 3 }), "too-large");
    await rejection(() => alice.sendBytes(pattern(4), { totalSize: 5 }), "incomplete");
    await rejection(() => alice.sendBytes(pattern(4).buffer as ArrayBuffer, { totalSize: 3 }), "too-large");
    await rejection(() => alice.sendBytes(new Blob(["four"]), { totalSize: 3 }), "too-large");
    await rejection(() => alice.sendFile(path, { totalSize: 3 }), "too-large");
    await rejection(() => alice.sendFile(path, { totalSize: 1_000_000 }), "incomplete");
    await alice.sendText("done");
    await until(() => dave.trailers.length > 0);
    assert.is(dave.headers.length, 1);
  }));

test("StreamWriter.write(): small writes of bytes are sent within 10 ms, text at once", () =>
  inPair(async (alice, bob, { time }) => {
    const texts = nextText(bob, "t");
    const bytes = nextBytes(bob, "b");
    const binary = await alice.streamBytes({ topic: "b" });
    const text = await alice.streamText({ topic: "t" });
    const seen: string[] = [];
    const follow = async (name: string, values: AsyncIterable<string | Uint8Array>): Promise<void> => {
      for await (const value of values) seen.push(`${name} ${value.length} at ${time.now()}`);
    };
    const following = [texts.then((reader) => follow("text", reader)), bytes.then((reader) => follow("bytes", reader))];
    await text.write("now");
    await binary.write(pattern(3));
    await binary.write(pattern(4));
    await time.advance(9);
    assert.equal(seen, ["text 3 at 0"]);
    await time.advance(1);
    assert.equal(seen, ["text 3 at 0", "bytes 7 at 10"]);
    await text.close();
    await binary.close();
    await Promise.all(following);
  }, { clock: "virtual" }));

test("StreamWriter.write(): wrong types are invalid arguments, and the stream goes on", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob, "t");
    const received = nextWhole(bob, "b");
    const text: TextStreamWriter = await alice.streamText({ topic: "t", confirm: true });
    const binary: ByteStreamWriter = await alice.streamBytes({ topic: "b" });
    for (const wrong of [undefined, null, 5, {}, [], new Uint8Array(1), Symbol("x")]) {
      await rejection(() => text.write(wrong as string), "invalid-argument");
    }
    for (
      const wrong of [
        undefined,
        null,
        5,
        {},
        [1],
        "text",
      ]
    ) {
      await rejection(() => binary.write(wrong as Uint8Array), "invalid-argument");
    }
    for (
      const wrong of [null, 5, "why", { reason: 5 }, { attributes: { a: 5 } }, { attributes: "a" }, {
        attributes: { millrace: "x" },
      }]
    ) {
      await rejection(() => text.close(wrong as object), "invalid-argument");
    }
    await rejection(() => text.close({ attributes: { long: "x".repeat(15_000) } }), "invalid-argument");
    await rejection(() => text.close({ reason: "x".repeat(100_000) }), "invalid-argument");
    await rejection(() => binary.abort(5 as unknown as string), "invalid-argument");
    await text.write("still");
    await text.close();
    await binary.write(pattern(2));
    await binary.close();
    assert.equal(texts, ["still"]);
    assert.is((await received).length, 2);
  }));

test("ByteStreamWriter.write(): takes a Buffer and views of shared memory", () =>
  inPair(async (alice, bob) => {
    const received = nextWhole(bob);
    const shared = new Uint8Array(new SharedArrayBuffer(16), 4, 3);
    shared.set([7, 8, 9]);
    const writer = await alice.streamBytes();
    await writer.write(new Uint8Array([1, 2, 3, 4]).subarray(1, 3));
    await writer.write(shared);
    await writer.close();
    assert.equal(await received, new Uint8Array([2, 3, 7, 8, 9]));
  }));

test("StreamWriter: write() after close(), and a second close(), are closed; abort() after close() does nothing", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob);
    const writer = await alice.streamText();
    await writer.write("one");
    const closing = writer.close();
    await rejection(() => writer.write("two"), "closed");
    await rejection(() => writer.close(), "closed");
    await closing;
    await rejection(() => writer.write("two"), "closed");
    await rejection(() => writer.close(), "closed");
    await writer.abort("too late");
    await writer[Symbol.asyncDispose]();
    await until(() => texts.length === 1);
    assert.equal(texts, ["one"]);
    assert.is(writer.actor.getSnapshot().value, "closed");
  }));

test("StreamWriter: write() and close() after a failure reject with the failure's own error", () =>
  inPair(async (alice) => {
    const writer = await alice.streamBytes();
    await writer.abort("enough");
    const error = await rejection(() => writer.write(pattern(1)), "aborted");
    assert.is(error.reason, "enough");
    assert.is(await rejection(() => writer.close(), "aborted"), error);
    await writer.abort("again");
    assert.is(await rejection(() => writer.write(pattern(1)), "aborted"), error);
  }));

test("streamId: is unique among a sender's open streams; two senders may use the same", () =>
  inPair(async (alice, bob, room) => {
    const { runtime: carol } = await room.join("carol");
    const texts = collectTexts(bob);
    const first = await alice.streamText({ streamId: "one" });
    const error = await rejection(() => alice.streamText({ streamId: "one" }), "duplicate-stream");
    assert.is(error.streamId, "one");
    await rejection(() => alice.sendBytes(pattern(1), { streamId: "one" }), "duplicate-stream");
    const other = await carol.streamText({ streamId: "one" });
    await first.write("from alice");
    await other.write("from carol");
    await first.close();
    await other.close();
    await alice.sendText("again", { streamId: "one" });
    await until(() => texts.length === 3);
    assert.equal(texts.sort(), ["again", "from alice", "from carol"]);
  }));

test("streamId: is free again if the opening failed", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob);
    await rejection(() => alice.streamText({ streamId: "one", destinationIdentities: ["nobody"] }), "disconnected");
    await rejection(() => alice.streamText({ streamId: "one", attributes: { a: "x".repeat(16_000) } }), "invalid-argument");
    await alice.sendText("at last", { streamId: "one", confirm: true });
    assert.equal(texts, ["at last"]);
  }));

test("StreamWriter.write(): waits for room when the reader does not read", () =>
  inPair(async (alice, bob) => {
    const heard = nextBytes(bob);
    const writer = await alice.streamBytes({ destinationIdentities: ["bob"] });
    let written = 0;
    const writing = (async () => {
      for (; written < 100; written++) await writer.write(pattern(100_000, written));
      await writer.close();
    })();
    const reader = await heard;
    await new Promise<void>((resolve) => void setTimeout(resolve, 200));
    assert.ok(written < 40, `${written} writes of 100 kB were taken`);
    let bytes = 0;
    for await (const part of reader) bytes += part.length;
    await writing;
    assert.is(bytes, 10_000_000);
  }));

test.run();
