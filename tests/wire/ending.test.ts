// Streams that end before they are whole, and the errors at each end.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { collectTexts, nextBytes, nextText } from "../support/handlers.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { pause, until } from "../support/waiting.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("stream ends");

test("StreamWriter.abort(): is an error at both ends, with its reason", () =>
  inPair(async (alice, bob) => {
    const texts = nextText(bob, "t");
    const bytes = nextBytes(bob, "b");
    const text = await alice.streamText({ topic: "t" });
    const binary = await alice.streamBytes({ topic: "b" });
    await text.write("half");
    await binary.write(pattern(100_000));
    await text.abort("changed my mind");
    await binary.abort("changed my mind");
    for (const reader of [await texts, await bytes]) {
      const error = await rejection(() => reader.readAll(), "aborted");
      assert.is(error.reason, "changed my mind");
      assert.is(error.identity, "alice");
      assert.is(error.streamId, reader.info.streamId);
      assert.is(await rejection(() => reader.closed, "aborted"), error);
      assert.is(reader.actor.getSnapshot().value, "failed");
    }
  }));

test("StreamWriter.abort(): without a reason, readers get none", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText();
    await writer.abort();
    const error = await rejection(async () => await (await heard).readAll(), "aborted");
    assert.is(error.reason, undefined);
  }));

test("StreamWriter.abort(): a reason of any length reaches the readers", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText();
    await writer.abort("ä".repeat(100_000));
    const error = await rejection(async () => await (await heard).readAll(), "aborted");
    assert.match(error.reason ?? "", /^ä{100,}$/);
  }));

test("StreamReader: data before an abort can still be read", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText();
    await writer.write("first");
    await writer.write("second");
    const reader = await heard;
    await until(() => writer.progress.received === 11);
    await writer.abort();
    await pause(20);
    const parts: string[] = [];
    await rejection(async () => {
      for await (const part of reader) parts.push(part);
    }, "aborted");
    assert.is(parts.join(""), "firstsecond");
  }));

test("StreamWriter.close(): a reason is part of a clean end, and can be read", () =>
  inPair(async (alice, bob) => {
    const texts = nextText(bob, "t");
    const bytes = nextBytes(bob, "b");
    const text = await alice.streamText({ topic: "t" });
    await text.write("all");
    await text.close({ reason: "end of story" });
    const binary = await alice.streamBytes({ topic: "b" });
    await binary.write(pattern(100_000));
    await binary.close({ reason: "end of file", attributes: { crc: "1" } });
    const heard = await texts;
    assert.is(await heard.readAll(), "all");
    assert.equal(await heard.closed, { reason: "end of story", attributes: {} });
    const saved = await bytes;
    assert.is((await saved.readAll()).length, 100_000);
    assert.equal(await saved.closed, { reason: "end of file", attributes: { crc: "1" } });
  }));

test("signal: one that was aborted before sends nothing", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      const texts = collectTexts(bob);
      const path = join(folder, "x");
      await writeFile(path, "x");
      const why = new Error("never mind");
      const signal = AbortSignal.abort(why);
      for (
        const send of [
          () => alice.streamText({ signal }),
          () => alice.sendText("x", { signal }),
          () => alice.streamBytes({ signal }),
          () => alice.sendBytes(pattern(1), { signal }),
          () => alice.sendFile(path, { signal }),
        ]
      ) assert.is((await rejection(send, "aborted")).cause, why);
      await alice.sendText("after", { confirm: true });
      assert.equal(texts, ["after"]);
    })
  ));

test("signal: an abort ends writers, with its reason as cause, and readers", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const controller = new AbortController();
    const writer = await alice.streamText({ signal: controller.signal });
    await writer.write("half");
    const why = new Error("never mind");
    controller.abort(why);
    const error = await rejection(() => writer.write("more"), "aborted");
    assert.is(error.cause, why);
    assert.is(await rejection(() => writer.close(), "aborted"), error);
    await rejection(async () => await (await heard).readAll(), "aborted");
  }));

test("signal: an abort ends a write() that waits for room", () =>
  inPair(async (alice, bob) => {
    const heard = nextBytes(bob);
    const controller = new AbortController();
    const sending = alice.sendBytes(pattern(8_000_000), { destinationIdentities: ["bob"], signal: controller.signal });
    const reader = await heard;
    await pause(50);
    controller.abort();
    await rejection(() => sending, "aborted");
    await rejection(() => reader.readAll(), "aborted");
  }));

test("onProgress: the last progress of a failed send is what was sent", () =>
  inPair(async (alice, bob) => {
    const heard = nextBytes(bob);
    const controller = new AbortController();
    const told: number[] = [];
    const writer = await alice.streamBytes({ signal: controller.signal, onProgress: ({ bytes }) => void told.push(bytes) });
    for (let i = 0; i < 3; i++) await writer.write(pattern(100_000));
    await heard;
    await until(() => writer.progress.received === 300_000);
    controller.abort();
    await rejection(() => writer.close(), "aborted");
    assert.is(told.at(-1), 300_000);
  }));

test("signal: an abort ends the wait for receipts", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const controller = new AbortController();
    const sending = alice.sendText("read me", { confirm: true, signal: controller.signal });
    await heard;
    await pause(20);
    controller.abort();
    await rejection(() => sending, "aborted");
  }));

test("signal: an abort ends a send whose source yields nothing", () =>
  inPair(async (alice, bob) => {
    void nextBytes(bob);
    let returned = false;
    const source: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: () => {
          returned = true;
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    };
    const controller = new AbortController();
    const sending = alice.sendBytes(source, { signal: controller.signal });
    await pause(20);
    controller.abort();
    await rejection(() => sending, "aborted");
    assert.ok(returned);
  }));

for (const end of ["its signal", "its receiver", "what it yields"] as const) {
  test(`sendBytes: a synchronous generator is closed when its send is ended by ${end}`, () =>
    inPair(async (alice, bob) => {
      const heard = nextBytes(bob);
      let isClosed = false;
      function* source(): Generator<Uint8Array> {
        try {
          for (let i = 0; i < 100; i++) yield pattern(100_000);
          yield "text" as unknown as Uint8Array;
        } finally {
          isClosed = true;
        }
      }
      const controller = new AbortController();
      const options = { destinationIdentities: ["bob"], signal: controller.signal };
      const code = end === "its signal" ? "aborted" : end === "its receiver" ? "cancelled" : "invalid-argument";
      const sending = rejection(() => alice.sendBytes(source(), options), code);
      const reader = await heard;
      if (end === "its signal") controller.abort();
      else if (end === "its receiver") await reader.cancel();
      else await rejection(() => reader.readAll(), "aborted");
      await sending;
      assert.ok(isClosed);
    }));
}

test("StreamReader.cancel(): ends a send whose source yields nothing", () =>
  inPair(async (alice, bob) => {
    bob.registerByteStreamHandler("", async (reader) => await reader.cancel());
    let cancelled = false;
    const source = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
    await rejection(() => alice.sendBytes(source, { destinationIdentities: ["bob"] }), "cancelled");
    await until(() => cancelled);
  }));

test("signal: an abort after the end has no effect", () =>
  inPair(async (alice, bob, room) => {
    const texts = collectTexts(bob);
    const controller = new AbortController();
    await alice.sendText("whole", { confirm: true, signal: controller.signal });
    controller.abort();
    await pause(10);
    assert.equal(texts, ["whole"]);
    assert.equal(room.told("alice"), []);
  }));

test("sendBytes: a failing source aborts its stream, with its error as cause", () =>
  inPair(async (alice, bob) => {
    const heard = nextBytes(bob);
    const why = new Error("the disk is on fire");
    async function* source(): AsyncGenerator<Uint8Array> {
      yield pattern(20_000);
      await pause(5);
      throw why;
    }
    const error = await rejection(() => alice.sendBytes(source()), "aborted");
    assert.is(error.cause, why);
    await rejection(async () => await (await heard).readAll(), "aborted");
  }));

test("sendBytes: a source that yields no bytes is an invalid argument", () =>
  inPair(async (alice, bob) => {
    const heard = nextBytes(bob);
    async function* source(): AsyncGenerator<Uint8Array> {
      yield pattern(20_000);
      await pause(5);
      yield "text" as unknown as Uint8Array;
    }
    await rejection(() => alice.sendBytes(source()), "invalid-argument");
    await rejection(async () => await (await heard).readAll(), "aborted");
  }));

test("StreamWriter: leaving an await using scope aborts the stream, unless it was closed", () =>
  inPair(async (alice, bob) => {
    const ends: string[] = [];
    bob.registerTextStreamHandler("", async (reader) => {
      await reader.readAll().then((text) => ends.push(text), (error) => ends.push(error.code));
    });
    {
      await using writer = await alice.streamText();
      await writer.write("closed");
      await writer.close();
    }
    {
      await using writer = await alice.streamText();
      await writer.write("left");
    }
    {
      await using writer = await alice.streamText();
      assert.is(writer.actor.getSnapshot().value, "open"); // nothing was written
    }
    await until(() => ends.length === 3);
    assert.equal(ends.sort(), ["aborted", "aborted", "closed"]); // a text is decoded by a job, an abort by none
  }));

test("sendFile: failures of the file system are file-error with a cause, before any packet", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      const heard: unknown[] = [];
      bob.registerByteStreamHandler("", (reader) => void heard.push(reader));
      for (const path of [join(folder, "missing"), folder]) {
        const error = await rejection(() => alice.sendFile(path), "file-error");
        assert.instance(error.cause, Error);
      }
      await rejection(() => alice.sendText("see attached", { attachments: [join(folder, "missing")] }), "file-error");
      assert.equal(heard, []);
    })
  ));

test.run();
