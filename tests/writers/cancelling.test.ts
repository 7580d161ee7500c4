// How receivers end streams: by cancel, by leaving a loop or a scope, by handlers that fail.
import * as assert from "uvu/assert";
import type { TextStreamReader } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { collectTexts, nextBytes, nextText } from "../support/handlers.ts";
import { inPair, inRealTime } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";
import { rejection } from "../support/rejections.ts";

const test = suite("cancelling");

const FAILING_HANDLERS: [string, (reader: TextStreamReader) => void | Promise<void>][] = [
  ["throws before reading", () => {
    throw new Error("no such room");
  }],
  ["rejects before reading", () => Promise.reject(new Error("no such room"))],
  ["rejects while reading", async (reader) => {
    for await (const _ of reader) throw new Error("no such room");
  }],
  ["rejects with what is no error", () => Promise.reject("no such room")],
];

for (const [how, handler] of FAILING_HANDLERS) {
  test(`handlers: a handler that ${how} cancels its own stream only`, () =>
    inPair(async (alice, bob, room) => {
      bob.registerTextStreamHandler("bad", handler);
      const texts = collectTexts(bob, "good");
      const good = await alice.streamText({ topic: "good", confirm: true });
      const writer = await alice.streamText({ topic: "bad", destinationIdentities: ["bob"] });
      await writer.write("x").catch(() => {});
      await until(() => writer.actor.getSnapshot().value === "failed");
      await rejection(() => writer.write("y"), "cancelled");
      await rejection(() => alice.sendText("x", { topic: "bad", confirm: true }), "cancelled");
      await good.write("fine");
      await good.close();
      assert.equal(texts, ["fine"]);
      const [told] = room.told("bob");
      assert.is(told?.context.streamId, writer.info.streamId);
      assert.is(told?.context.topic, "bad");
      assert.is(told?.context.identity, "alice");
      const { cause } = told?.error ?? {};
      assert.is(cause instanceof Error ? cause.message : cause, "no such room");
    }));
}

test("onError: an exception after the stream is whole is reported there only", () =>
  inPair(async (alice, bob, room) => {
    bob.registerTextStreamHandler("", async (reader) => {
      await reader.readAll();
      throw new Error("too late");
    });
    const info = await alice.sendText("read", { confirm: true });
    assert.equal(info.receipts, [{ identity: "bob", bytes: 4 }]);
    await until(() => room.told("bob").length === 1);
    assert.is((room.told("bob")[0]?.error.cause as Error | undefined)?.message, "too late");
    assert.equal(room.told("alice"), []);
  }));

test("onError: a callback that throws or rejects does no harm", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    let told = 0;
    const { runtime: bob } = await room.join("bob", {
      onError: (() => {
        if (++told === 1) throw new Error("no log");
        return Promise.reject(new Error("no log"));
      }) as () => void,
    });
    bob.registerTextStreamHandler("bad", () => Promise.reject(new Error("handler")));
    for (let i = 0; i < 2; i++) await rejection(() => alice.sendText("x", { topic: "bad", confirm: true }), "cancelled");
    await until(() => told === 2);
  }));

test("StreamReader.cancel(): tells the sender to stop, with its reason", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText({ destinationIdentities: ["bob"] });
    const reader = await heard;
    await reader.cancel("heard enough");
    await until(() => writer.actor.getSnapshot().value === "failed");
    const error = await rejection(() => writer.write("x"), "cancelled");
    assert.is(error.reason, "heard enough");
    assert.is(error.identity, "bob");
    const own = await rejection(() => reader.closed, "cancelled");
    assert.is(own.reason, "heard enough");
    await reader.cancel("again");
    await rejection(() => reader.readAll(), "cancelled");
  }));

test("StreamReader.cancel(): an invalid reason is an invalid argument, and the stream goes on", () =>
  inPair(async (alice, bob) => {
    const heard = nextText(bob);
    const writer = await alice.streamText({ destinationIdentities: ["bob"], confirm: true });
    const reader = await heard;
    for (const wrong of [5, null, {}]) await rejection(() => reader.cancel(wrong as string), "invalid-argument");
    await writer.write("still here");
    const closing = writer.close();
    assert.is(await reader.readAll(), "still here");
    await closing;
  }));

for (const early of ["left", "thrown out of", "returned from before it began"] as const) {
  test(`StreamReader: a for-await loop ${early} tells the sender`, () =>
    inPair(async (alice, bob) => {
      const heard = nextBytes(bob);
      const sending = alice.sendBytes(pattern(5_000_000), { destinationIdentities: ["bob"] });
      const reader = await heard;
      if (early === "returned from before it began") await reader[Symbol.asyncIterator]().return?.();
      else {
        await rejectOrNot(async () => {
          for await (const _ of reader) {
            if (early === "left") break;
            throw new Error("no");
          }
        });
      }
      await rejection(() => sending, "cancelled");
      await rejection(() => reader.closed, "cancelled");
    }));
}

test("StreamReader: leaving an await using scope cancels the stream, unless it is whole", () =>
  inPair(async (alice, bob) => {
    const steps: string[] = [];
    bob.registerTextStreamHandler("", async (given) => {
      await using reader = given;
      for await (const part of reader) {
        steps.push(part);
        if (part === "stop") return;
      }
    });
    await alice.sendText("all", { confirm: true });
    const writer = await alice.streamText({ destinationIdentities: ["bob"] });
    await writer.write("stop");
    await until(() => writer.actor.getSnapshot().value === "failed");
    await rejection(() => writer.write("x"), "cancelled");
    assert.equal(steps, ["all", "stop"]);
  }));

async function rejectOrNot(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    assert.is((error as Error).message, "no");
  }
}

test.run();
