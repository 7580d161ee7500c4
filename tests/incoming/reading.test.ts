// Readers: contents, consumers, memory, late handlers.
import { readdir, readFile } from "node:fs/promises";
import * as assert from "uvu/assert";
import { createCodecPool } from "../../mod.ts";
import type { ByteStreamReader, RuntimeOptions, TextStreamReader } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { joined, pattern } from "../support/bytes.ts";
import { collectTexts, nextBytes, nextText, nextWhole } from "../support/handlers.ts";
import { inPair, inRealTime } from "../support/hub/hub_fixture.ts";
import { pause, until } from "../support/waiting.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { incomingOf } from "../support/hub/incoming_of.ts";

const test = suite("StreamReader");

const CODECS: readonly [name: string, options: Partial<RuntimeOptions>][] = [["by the pool", {}], ["inline", { pool: false }]];

const CONSUMERS: Record<string, (reader: ByteStreamReader, folder: string) => Promise<Uint8Array>> = {
  iteration: async (reader) => {
    const parts: Uint8Array[] = [];
    for await (const part of reader) parts.push(part);
    return joined(parts);
  },
  readable: async (reader) => new Uint8Array(await new Response(reader.readable as ReadableStream).arrayBuffer()),
  readAll: async (reader) => await reader.readAll(),
  saveTo: async (reader, folder) => new Uint8Array(await readFile((await reader.saveTo(`${folder}/`)).path)),
};

for (const [codec, options] of CODECS) {
  for (const [first, consume] of Object.entries(CONSUMERS)) {
    test(`StreamReader: ${first} gives all bytes, and a second consumer gets closed, ${codec}`, () =>
      inPair((alice, bob) =>
        inTemporaryFolder(async (folder) => {
          const heard = nextBytes(bob);
          const sending = alice.sendBytes(pattern(500_000), { name: "x" });
          const reader = await heard;
          const consuming = consume(reader, folder);
          // A second access to `readable` gives the stream that is being read.
          const others = Object.entries(CONSUMERS).flatMap(([name, second]) =>
            name === first && name === "readable" ? [] : [second]
          );
          for (const second of others) await rejection(() => second(reader, folder), "closed");
          assert.equal(await consuming, pattern(500_000));
          await sending;
          for (const second of others) await rejection(() => second(reader, folder), "closed");
          assert.equal(await reader.closed, { reason: "", attributes: {} });
          assert.is(reader.progress.received, 500_000);
          assert.ok(reader.progress.complete);
          assert.is(reader.actor.getSnapshot().value, "closed");
        }), { runtime: options }));
  }

  test(`TextStreamReader: a text is read by iteration, readable or readAll, ${codec}`, () =>
    inPair(async (alice, bob) => {
      const text = "größe 😀 ".repeat(10_000);
      const consumers: ((reader: TextStreamReader) => Promise<string>)[] = [
        (reader) => reader.readAll(),
        async (reader) => {
          let whole = "";
          for await (const part of reader) whole += part;
          return whole;
        },
        async (reader) => {
          let whole = "";
          await reader.readable.pipeTo(new WritableStream<string>({ write: (part) => void (whole += part) }));
          return whole;
        },
      ];
      for (const [i, consume] of consumers.entries()) {
        const heard = nextText(bob, `topic ${i}`);
        await alice.sendText(text, { topic: `topic ${i}` });
        const reader = await heard;
        assert.ok(await consume(reader) === text);
        const others = consumers.filter((second) => second !== consume || i < 2); // asked for again, `readable` is the same stream
        for (const second of others) await rejection(() => second(reader), "closed");
      }
    }, { runtime: options }));

  test(`StreamReader.readable can be piped, and a failing destination cancels the stream, ${codec}`, () =>
    inPair(async (alice, bob) => {
      const heard = nextBytes(bob);
      const sending = alice.sendBytes(pattern(3_000_000));
      const reader = await heard;
      const full = new WritableStream<Uint8Array>({ write: () => Promise.reject(new Error("the pipe is full")) });
      const message = await reader.readable.pipeTo(full).catch((error: Error) => error.message);
      assert.is(message, "the pipe is full");
      const error = await rejection(() => sending, "cancelled");
      assert.is(error.reason, "the destination failed");
    }, { runtime: options }));

  test(`StreamReader: consumers of a failed stream get its error, ${codec}`, () =>
    inPair((alice, bob) =>
      inTemporaryFolder(async (folder) => {
        for (const [name, consume] of Object.entries(CONSUMERS)) {
          const heard = nextBytes(bob, name);
          const writer = await alice.streamBytes({ topic: name, name: "x" });
          await writer.write(pattern(70_000));
          const reader = await heard;
          const consuming = consume(reader, folder).then(() => "nothing", (error) => error.code);
          await until(() => reader.progress.received === 70_000);
          await writer.abort();
          assert.is(await consuming, "aborted", name);
          assert.equal(await readdir(folder), []);
        }
      }), { runtime: options }));
}

test("StreamReader.readable: cancel() gives all memory back", async () => {
  const pool = createCodecPool({ size: 1 });
  try {
    await inPair(async (alice, bob) => {
      const heard = nextBytes(bob);
      const sending = alice.sendBytes(pattern(3_000_000));
      const values = (await heard).readable.getReader();
      await pause(50); // more than one piece is at work when it is left
      await values.read();
      await values.cancel("enough");
      await rejection(() => sending, "cancelled");
      await until(() => pool.segments.inUse === 0);
    }, { runtime: { pool } });
  } finally {
    await pool.close();
  }
});

test("StreamReader outlives its handler's return", () =>
  inPair(async (alice, bob) => {
    let kept: TextStreamReader | undefined;
    bob.registerTextStreamHandler("", (reader) => void (kept = reader));
    const writer = await alice.streamText({ confirm: true });
    await writer.write("one ");
    await until(() => kept !== undefined);
    await pause(5);
    await writer.write("two");
    const closing = writer.close();
    assert.is(await kept?.readAll(), "one two");
    await closing;
  }));

test("unregisterByteStreamHandler: keeps the streams that the handler has", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText({ confirm: true });
    const reader = await heard;
    bob.unregisterTextStreamHandler("");
    await writer.write("still read");
    const closing = writer.close();
    assert.is(await reader.readAll(), "still read");
    await closing;
  }));

test("receiveWindow: a stream that nobody reads holds its window at most", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const { runtime: bob } = await room.join("bob", { limits: { receiveWindow: 100_000 } });
    const heard = nextBytes(bob);
    const sending = alice.sendBytes(pattern(2_000_000), { destinationIdentities: ["bob"] });
    const reader = await heard;
    await pause(50);
    const held = incomingOf(reader).content.held;
    assert.ok(held <= 100_000, `${held} bytes are held`);
    assert.equal(await reader.readAll(), pattern(2_000_000));
    await sending;
  }));

test("StreamReader.readAll() takes exactly as much as its limit", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const { runtime: bob } = await room.join("bob", { limits: { readAllBytes: 50_000 } });
    const sizes: (number | string)[] = [];
    const note = async (reader: TextStreamReader | ByteStreamReader): Promise<void> => {
      await reader.readAll().then((all) => sizes.push(all.length), (error) => sizes.push(error.code));
    };
    bob.registerByteStreamHandler("", note);
    bob.registerTextStreamHandler("", note);
    await alice.sendBytes(pattern(50_000));
    await rejection(() => alice.sendBytes(pattern(50_001)), "too-large");
    await alice.sendText("x".repeat(50_000), { confirm: true });
    await rejection(() => alice.sendText("x".repeat(50_001), { confirm: true }), "too-large");
    const writer = await alice.streamBytes({ confirm: true });
    await writer.write(pattern(60_000));
    await rejection(() => writer.close(), "too-large");
    assert.equal(sizes, [50_000, "too-large", 50_000, "too-large", "too-large"]);
  }));

test("StreamReader: a signal ends readAll and saveTo, with its reason as cause; the sender gets cancelled", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      const why = new Error("no time");
      for (const before of [true, false]) {
        for (const how of ["readAll", "saveTo"] as const) {
          const topic = `${how} ${before}`;
          const heard = nextBytes(bob, topic);
          const writer = await alice.streamBytes({ topic, name: "x", destinationIdentities: ["bob"] });
          await writer.write(pattern(50_000));
          const reader = await heard;
          const controller = new AbortController();
          if (before) controller.abort(why);
          const { signal } = controller;
          const consuming = rejection(
            () => how === "readAll" ? reader.readAll({ signal }) : reader.saveTo(folder, { signal }),
            "aborted",
          );
          if (!before) await until(() => reader.progress.received === 50_000);
          controller.abort(why);
          assert.is((await consuming).cause, why);
          await until(() => writer.actor.getSnapshot().value === "failed");
          await rejection(() => writer.write(pattern(1)), "cancelled");
          assert.equal(await readdir(folder), []);
        }
      }
    })
  ));

test("StreamReader: wrong arguments are invalid, and the reader stays usable", () =>
  inPair(async (alice, bob) => {
    const heard = nextBytes(bob, "b");
    const texts = nextText(bob, "t");
    const sending = alice.sendBytes(pattern(10), { topic: "b", name: "x" });
    const text = alice.sendText("text", { topic: "t", confirm: true });
    const reader = await heard;
    for (const path of [undefined, null, 5, "", {}, "a\0b", new URL("http://localhost/x")]) {
      await rejection(() => reader.saveTo(path as string), "invalid-argument");
    }
    const wrong = [null, 5, { overwrite: "yes" }, { onProgress: 5 }, { signal: {} }];
    for (const options of wrong) await rejection(() => reader.saveTo("never", options as object), "invalid-argument");
    for (const options of [null, 5, { signal: "now" }]) {
      await rejection(() => reader.readAll(options as object), "invalid-argument");
    }
    const textReader = await texts;
    for (const options of [null, 5, { signal: "now" }]) {
      await rejection(() => textReader.readAll(options as object), "invalid-argument");
    }
    assert.equal(await reader.readAll(), pattern(10));
    assert.is(await textReader.readAll(), "text");
    await Promise.all([sending, text]);
  }));

test("StreamReader: two consumers of the same bytes get arrays of their own", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const bob = nextBytes((await room.join("bob")).runtime);
    const carol = nextBytes((await room.join("carol")).runtime);
    const sending = alice.sendBytes(pattern(600_000));
    const first = await bob;
    const parts: Uint8Array[] = [];
    for await (const part of first) {
      parts.push(part.slice());
      part.fill(0);
      structuredClone(part, { transfer: [part.buffer as ArrayBuffer] }); // the user's own: it may be given away
    }
    assert.equal(joined(parts), pattern(600_000));
    assert.equal(await (await carol).readAll(), pattern(600_000));
    await sending;
  }));

test("registerByteStreamHandler: a late handler gets the stream, if no byte was missed", () =>
  inPair(async (alice, bob) => {
    const writer = await alice.streamText({ topic: "late", confirm: true });
    await writer.write("from the start");
    await pause(20);
    const texts = collectTexts(bob, "late");
    await until(() => writer.progress.received > 0);
    await pause(20);
    await writer.close();
    assert.equal(texts, ["from the start"]);
    const missed = await alice.streamBytes({ topic: "missed" });
    await missed.write(pattern(3_000_000));
    await until(() => missed.progress.received > 2_000_000);
    const heard = await nextBytes(bob, "missed");
    await rejection(() => heard.readAll(), "incomplete");
    await missed.close();
  }));

test("handlers: streams of one topic are handled concurrently and separately", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob);
    const received: number[] = [];
    bob.registerByteStreamHandler("", async (reader) => void received.push((await reader.readAll()).length));
    const writers = await Promise.all(Array.from({ length: 50 }, () => alice.streamText({ confirm: true })));
    await Promise.all(writers.map((writer, i) => writer.write(`${i}`)));
    await Promise.all(Array.from({ length: 10 }, (_, i) => alice.sendBytes(pattern(i * 10_000))));
    await Promise.all(writers.reverse().map((writer) => writer.close()));
    assert.equal(texts.map(Number).sort((a, b) => a - b), Array.from({ length: 50 }, (_, i) => i));
    assert.equal(received.sort((a, b) => a - b), Array.from({ length: 10 }, (_, i) => i * 10_000));
  }));

test("StreamReader: an empty stream is whole without a read", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob);
    const bytes = nextWhole(bob);
    await alice.sendText("", { confirm: true });
    await alice.sendBytes(new Uint8Array(0));
    const writer = await alice.streamText({ confirm: true });
    await writer.write("");
    await writer.close();
    assert.equal(texts, ["", ""]);
    assert.is((await bytes).length, 0);
  }));

test.run();
