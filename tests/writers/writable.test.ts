// Writers as web streams, and their progress.
import * as assert from "uvu/assert";
import type { Progress } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { collectTexts, nextText, nextWhole } from "../support/handlers.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";

const test = suite("StreamWriter.writable");

test("StreamWriter.progress: counts the bytes given to the transport", () =>
  inPair(async (alice, bob, { time }) => {
    const received = nextWhole(bob);
    const writer = await alice.streamBytes({ totalSize: 20 });
    await writer.write(pattern(5));
    assert.is(writer.progress.received, 0);
    await time.advance(10);
    assert.is(writer.progress.received, 5);
    assert.is(writer.progress.progress, 25);
    await writer.write(pattern(15));
    await writer.close();
    assert.is(writer.progress.received, 20);
    assert.ok(writer.progress.complete);
    await received;
  }, { clock: "virtual" }));

test("StreamWriter.writable: sends what is piped into it, and closes the stream", () =>
  inPair(async (alice, bob) => {
    const received = nextWhole(bob, "b");
    const texts = collectTexts(bob, "t");
    const binary = await alice.streamBytes({ topic: "b", confirm: true });
    await new Blob([pattern(100_000) as Uint8Array<ArrayBuffer>]).stream().pipeTo(binary.writable);
    assert.equal(await received, pattern(100_000));
    const text = await alice.streamText({ topic: "t", confirm: true });
    assert.is(text.writable, text.writable);
    await streamOf("a", "b", "c").pipeTo(text.writable);
    assert.equal(texts, ["abc"]);
    assert.is(text.actor.getSnapshot().value, "closed");
  }));

test("StreamWriter.writable: a failing source aborts the stream", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText();
    const source = new ReadableStream<string>({
      start: (controller) => controller.enqueue("half"),
      pull: () => Promise.reject(new Error("out of words")),
    });
    let message = "";
    await source.pipeTo(writer.writable).catch((error: Error) => (message = error.message));
    assert.is(message, "out of words");
    const error = await rejection(async () => await (await heard).readAll(), "aborted");
    assert.is(error.reason, "the source failed");
  }));

test("TextStreamWriter.writable: a value that is no text fails the writable and the stream", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText();
    await rejection(() => streamOf("a", 5 as unknown as string).pipeTo(writer.writable), "invalid-argument");
    assert.is(writer.actor.getSnapshot().value, "failed");
    await rejection(async () => await (await heard).readAll(), "aborted");
  }));

test("StreamWriter.writable: a cancelled stream stops the pipe", () =>
  inPair(async (alice, bob) => {
    bob.registerByteStreamHandler("", async (reader) => await reader.cancel("no more"));
    const writer = await alice.streamBytes({ destinationIdentities: ["bob"] });
    let pulled = 0;
    let cancelled = false;
    const source = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise<void>((resolve) => void setTimeout(resolve, 1));
        pulled++;
        controller.enqueue(pattern(10_000));
      },
      cancel: () => void (cancelled = true),
    });
    const error = await rejection(() => source.pipeTo(writer.writable), "cancelled");
    assert.is(error.reason, "no more");
    assert.ok(cancelled);
    assert.ok(pulled < 1_000);
  }));

test("onProgress: is called at most once in 50 ms, and once at the end", () =>
  inPair(async (alice, bob, { time }) => {
    const received = nextWhole(bob);
    const told: { at: number; progress: Progress }[] = [];
    const onProgress = (progress: Progress): void => void told.push({ at: time.now(), progress });
    const writer = await alice.streamBytes({ totalSize: 30_000, onProgress });
    for (let i = 0; i < 30; i++) {
      await writer.write(pattern(1_000));
      await time.advance(11);
    }
    await writer.close();
    await received;
    const last = told.at(-1);
    assert.is(last?.progress.bytes, 30_000);
    assert.is(last?.progress.total, 30_000);
    assert.is(last?.progress.percent, 100);
    assert.ok(told.length >= 4 && told.length <= 8, `told ${told.length} times`);
    for (let i = 1; i < told.length - 1; i++) assert.ok((told[i]?.at ?? 0) - (told[i - 1]?.at ?? 0) >= 50);
  }, { clock: "virtual" }));

test("onProgress: a callback that throws or rejects is reported, and the stream goes on", () =>
  inPair(async (alice, bob, room) => {
    const texts = collectTexts(bob);
    const thrown = (): void => {
      throw new Error("no bar");
    };
    await alice.sendText("one", { streamId: "s1", topic: "", confirm: true, onProgress: thrown });
    await alice.sendText("two", { confirm: true, onProgress: (() => Promise.reject(new Error("no bar"))) as () => void });
    await until(() => room.told("alice").length >= 4);
    assert.equal(texts, ["one", "two"]);
    const [first] = room.told("alice");
    assert.is((first?.error.cause as Error | undefined)?.message, "no bar");
    assert.is(first?.context.streamId, "s1");
  }));

function streamOf(...values: string[]): ReadableStream<string> {
  return new ReadableStream({
    start(controller) {
      for (const value of values) controller.enqueue(value);
      controller.close();
    },
  });
}

test.run();
