// Every example of the LiveKit documentation that Millrace follows.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { ProgressTracker, STREAM_CHUNK_SIZE, type StreamError } from "../../mod.ts";
import type { ByteStreamReader, TextStreamInfo, TextStreamReader } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { joined, pattern } from "../support/bytes.ts";
import { collectTexts, nextText, nextWhole } from "../support/handlers.ts";
import { inPair, inRealTime } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("seed");

test("streamText: a text is streamed in chunks", () =>
  inPair(async (alice, bob) => {
    const parts: string[] = [];
    const ended = new Promise<void>((resolve) => {
      bob.registerTextStreamHandler("chat", async (reader, sender) => {
        assert.is(sender.identity, "alice");
        for await (const part of reader) parts.push(part);
        resolve();
      });
    });
    const writer = await alice.streamText({ topic: "chat" });
    await writer.write("Hello, ");
    await writer.write("world!");
    await writer.close();
    await ended;
    assert.equal(parts, ["Hello, ", "world!"]);
  }));

test("sendText: a complete text is sent by one call", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob, "chat");
    const info = await alice.sendText("Quick message", { topic: "chat" });
    const reader = await heard;
    assert.is(reader.info.streamId, info.streamId);
    assert.is(await reader.readAll(), "Quick message");
  }));

test("streamBytes: bytes are streamed in chunks, and the receiver follows the progress by the size", () =>
  inPair(async (alice, bob) => {
    const data = pattern(100_000);
    const percents: number[] = [];
    const received = new Promise<Uint8Array>((resolve, reject) => {
      bob.registerByteStreamHandler("files", async (reader) => {
        assert.is(reader.info.name, "document.pdf");
        assert.is(reader.info.mimeType, "application/pdf");
        assert.is(reader.info.size, data.length);
        const parts: Uint8Array[] = [];
        let bytes = 0;
        try {
          for await (const chunk of reader) {
            parts.push(chunk);
            bytes += chunk.length;
            percents.push((bytes / (reader.info.size ?? 1)) * 100);
            assert.is(reader.progress.received, bytes);
          }
          resolve(joined(parts));
        } catch (error) {
          reject(error);
        }
      });
    });
    const writer = await alice.streamBytes({
      topic: "files",
      name: "document.pdf",
      mimeType: "application/pdf",
      totalSize: data.length,
    });
    for (let at = 0; at < data.length; at += STREAM_CHUNK_SIZE) await writer.write(data.subarray(at, at + STREAM_CHUNK_SIZE));
    await writer.close();
    assert.equal(await received, data);
    assert.is(percents.at(-1), 100);
  }));

test("sendFile: a file is sent by one call, with name, size and type", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, "file.txt");
      await writeFile(path, "what the file says");
      const received = new Promise<{ name: string; mimeType: string; text: string }>((resolve) => {
        bob.registerByteStreamHandler("files", async (reader) => {
          const text = new TextDecoder().decode(await reader.readAll());
          resolve({ name: reader.info.name, mimeType: reader.info.mimeType, text });
        });
      });
      const info = await alice.sendFile(path, { topic: "files" });
      assert.is(info.name, "file.txt");
      assert.is(info.size, 18);
      assert.equal(await received, { name: "file.txt", mimeType: "text/plain", text: "what the file says" });
    })
  ));

test("handlers: get topic, size and type, and readAll() gives everything", () =>
  inPair(async (alice, bob) => {
    const lines: string[] = [];
    bob.registerTextStreamHandler("chat", async (reader, sender) => {
      lines.push(
        `Text stream from ${sender.identity}`,
        `Topic: ${reader.info.topic}`,
        `Complete text: ${await reader.readAll()}`,
      );
    });
    bob.registerByteStreamHandler("files", async (reader, sender) => {
      lines.push(
        `Receiving ${reader.info.name} from ${sender.identity}`,
        `Size: ${reader.info.size}`,
        `MIME: ${reader.info.mimeType}`,
      );
      lines.push(`Complete: ${(await reader.readAll()).length}`);
    });
    await alice.sendText("hi", { topic: "chat", confirm: true });
    await alice.sendBytes(pattern(20), { topic: "files", name: "x.bin" });
    assert.equal(lines, [
      "Text stream from alice",
      "Topic: chat",
      "Complete text: hi",
      "Receiving x.bin from alice",
      "Size: 20",
      "MIME: application/octet-stream",
      "Complete: 20",
    ]);
  }));

for (const [size, count] of [[STREAM_CHUNK_SIZE, 5], [100, 700], [75_000, 1]] as const) {
  test(`StreamWriter.write(): writes of ${size} bytes arrive as written`, () =>
    inPair(async (alice, bob) => {
      const data = pattern(size * count);
      const received = nextWhole(bob, "files");
      const writer = await alice.streamBytes({ topic: "files", name: "file.bin" });
      for (let at = 0; at < data.length; at += size) await writer.write(data.subarray(at, at + size));
      await writer.close();
      assert.equal(await received, data);
    }));
}

test("StreamWriter: is closed in a finally block, whatever came before", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob, "chat");
    const writer = await alice.streamText({ topic: "chat", confirm: true });
    try {
      await writer.write("Hello");
      await writer.write("World");
    } finally {
      await writer.close();
    }
    assert.equal(texts, ["HelloWorld"]);
  }));

test("StreamWriter: one left by an exception does not look like a complete stream", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob, "chat");
    const failing = async (): Promise<void> => {
      await using writer = await alice.streamText({ topic: "chat" });
      await writer.write("half of");
      throw new Error("the model broke off");
    };
    let message = "";
    try {
      await failing();
    } catch (error) {
      message = (error as Error).message;
    }
    assert.is(message, "the model broke off");
    const reader = await heard;
    await rejection(() => reader.readAll(), "aborted");
  }));

test("handlers: each topic has its own, of text and of bytes", () =>
  inPair(async (alice, bob) => {
    const routed: string[] = [];
    const note = (name: string) => async (reader: TextStreamReader | ByteStreamReader): Promise<void> => {
      await reader.readAll();
      routed.push(name);
    };
    bob.registerTextStreamHandler("chat", note("chat"));
    bob.registerTextStreamHandler("commands", note("commands"));
    bob.registerByteStreamHandler("images", note("images"));
    bob.registerByteStreamHandler("documents", note("documents"));
    await alice.sendBytes(pattern(10), { topic: "documents", name: "paper.pdf" });
    await alice.sendText("hi", { topic: "chat", confirm: true });
    await alice.sendText("stop", { topic: "commands", confirm: true });
    const writer = await alice.streamBytes({ topic: "images", name: "pic.jpg", confirm: true });
    await writer.close();
    await until(() => routed.length === 4);
    assert.equal(routed, ["documents", "chat", "commands", "images"]);
  }));

test("handlers: one that catches its stream's error can clean up", () =>
  inPair(async (alice, bob, room) => {
    const steps: string[] = [];
    const cleaned = new Promise<void>((resolve) => {
      bob.registerTextStreamHandler("chat", async (reader) => {
        try {
          for await (const part of reader) steps.push(part);
        } catch (error) {
          steps.push(`Stream error: ${(error as StreamError).code}, ${(error as StreamError).reason}`);
        } finally {
          steps.push("cleaned");
          resolve();
        }
      });
    });
    const writer = await alice.streamText({ topic: "chat" });
    await writer.write("one");
    await writer.abort("out of words");
    await cleaned;
    assert.equal(steps, ["one", "Stream error: aborted, out of words", "cleaned"]);
    assert.equal(room.told("bob"), []);
  }));

test("ProgressTracker: counts incoming bytes, and knows when it is complete", () =>
  inPair(async (alice, bob) => {
    const milestones: string[] = [];
    const seen = new Promise<ProgressTracker>((resolve) => {
      bob.registerByteStreamHandler("files", async (reader) => {
        const tracker = new ProgressTracker(reader.info.size ?? 0);
        assert.not.ok(tracker.complete);
        for await (const chunk of reader) {
          tracker.update(chunk.length);
          milestones.push(tracker.progress.toFixed(1));
        }
        resolve(tracker);
      });
    });
    const writer = await alice.streamBytes({ topic: "files", totalSize: 4_000 });
    for (let i = 0; i < 4; i++) {
      await writer.write(pattern(1_000));
      await until(() => milestones.length === i + 1);
    }
    await writer.close();
    const tracker = await seen;
    assert.equal(milestones, ["25.0", "50.0", "75.0", "100.0"]);
    assert.ok(tracker.complete);
    tracker.update(1);
    assert.ok(tracker.complete);
    assert.ok(tracker.progress > 100);
    assert.is(new ProgressTracker(0).progress, 0);
  }));

test("saveTo: a received file is saved in a folder, under a name that cannot lead out of it", () =>
  inPair((alice, bob) =>
    inTemporaryFolder(async (folder) => {
      const saved: { path: string; bytes: number }[] = [];
      bob.registerByteStreamHandler("files", async (reader) => void saved.push(await reader.saveTo(folder)));
      await alice.sendBytes(pattern(40_000), { topic: "files", name: "../../../evil.pdf" });
      assert.equal(saved, [{ path: join(folder, "evil.pdf"), bytes: 40_000 }]);
      assert.equal(new Uint8Array(await readFile(join(folder, "evil.pdf"))), pattern(40_000));
    })
  ));

test("replyToId, attachments: a stream can reply to another, and name attached streams", () =>
  inPair(async (alice, bob) => {
    const infos: TextStreamInfo[] = [];
    bob.registerTextStreamHandler("", async (reader) => {
      infos.push(reader.info);
      await reader.readAll();
    });
    const question = await alice.sendText("What do you say?", { confirm: true });
    const options = { replyToId: question.streamId, attachedStreamIds: ["picture-1"], attributes: { mood: "calm" } };
    const answer = await alice.sendText("This", { ...options, confirm: true });
    assert.is(answer.replyToId, question.streamId);
    const [first, second] = infos;
    assert.is(first?.replyToId, undefined);
    assert.equal(first?.attachments, []);
    assert.is(second?.replyToId, question.streamId);
    assert.equal(second?.attachments, ["picture-1"]);
    assert.equal(second?.attributes, { mood: "calm" });
  }));

test("StreamWriter.close(): reason and attributes reach the reader", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText();
    await writer.write("data");
    await writer.close({ reason: "that is all", attributes: { tokens: "1" } });
    const reader = await heard;
    assert.is(await reader.readAll(), "data");
    assert.equal(await reader.closed, { reason: "that is all", attributes: { tokens: "1" } });
  }));

test("broadcast: reaches all but the sender", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const others = [(await room.join("bob")).runtime, (await room.join("carol")).runtime];
    const own = collectTexts(alice, "chat");
    const heard = others.map((other) => collectTexts(other, "chat"));
    const writer = await alice.streamText({ topic: "chat", confirm: true });
    await writer.write("Hello ");
    await writer.write("everyone!");
    await writer.close();
    assert.equal(heard, [["Hello everyone!"], ["Hello everyone!"]]);
    assert.equal(own, []);
  }));

test.run();
