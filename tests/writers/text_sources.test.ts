// Texts in parts: their sources are read as there is room, and end with their stream, whichever ends first.
import { Readable } from "node:stream";
import { runInNewContext } from "node:vm";
import * as assert from "uvu/assert";
import { createActor } from "xstate";
import { sendTextActor } from "../../actors/mod.ts";
import { StreamError } from "../../errors.ts";
import type { Runtime, TextSource } from "../../mod.ts";
import { Deferred } from "../../common/promises.ts";
import { collectTexts, last, nextText, TO_BOB } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { type HubFixture, inPair } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { pause, until } from "../support/waiting.ts";

const test = suite("text sources");

async function* parts(...texts: readonly string[]): AsyncGenerator<string> {
  for (const text of texts) yield await Promise.resolve(text);
}

function webStream(...texts: readonly string[]): ReadableStream<string> {
  return new ReadableStream({
    start(controller) {
      for (const text of texts) controller.enqueue(text);
      controller.close();
    },
  });
}

/** A source of a first text that is silent then, and notes its end. */
function silent(kind: "iterable" | "web stream", ended: () => void): TextSource {
  if (kind === "web stream") return new ReadableStream({ start: (controller) => controller.enqueue("first"), cancel: ended });
  let asked = 0;
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => asked++ === 0 ? Promise.resolve({ done: false as const, value: "first" }) : new Promise<never>(() => {}),
      return: () => {
        ended();
        return Promise.resolve({ done: true as const, value: undefined });
      },
    }),
  };
}

test("sendText: takes async iterables and web streams of any realm, Node's streams and readers", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob, "t");
    const foreign = runInNewContext("(async function* () { yield 'of '; yield 'another realm'; })()") as AsyncIterable<string>;
    const sources = [parts("gen", "erated"), webStream("web ", "stream"), foreign, Readable.from(["Node's ", "own"])];
    for (const source of sources) await alice.sendText(source as TextSource, { ...TO_BOB, confirm: true });
    await until(() => texts.length === sources.length);
    assert.equal(texts, ["generated", "web stream", "of another realm", "Node's own"]);

    const relayed = nextText(bob, "relayed");
    alice.registerTextStreamHandler("given", (reader) => void alice.sendText(reader, { topic: "relayed" }));
    await bob.sendText("passed on", { topic: "given" });
    assert.is(await (await relayed).readAll(), "passed on");
  }));

test("sendText: a part is sent when it comes, and the info is that of the closed stream", () =>
  inPair(async (alice, bob) => {
    const goOn = new Deferred();
    async function* thinking(): AsyncGenerator<string> {
      yield "Let me see";
      await goOn.promise;
      yield ": 42";
    }
    const incoming = nextText(bob, "t");
    const sending = alice.sendText(thinking(), { ...TO_BOB, confirm: true, attributes: { of: "thoughts" } });
    const reader = await incoming;
    assert.is(reader.info.size, undefined);
    const seen: string[] = [];
    for await (const part of reader) {
      seen.push(part);
      goOn.resolve();
    }
    assert.equal(seen, ["Let me see", ": 42"]);
    const info = await sending;
    assert.equal(info.receipts, [{ identity: "bob", bytes: 14 }]);
    assert.equal(info.attributes, { of: "thoughts" });
  }));

test("sendText: an empty source is an empty text, and a pair of surrogates split over parts is joined", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob, "t");
    for (const source of [parts(), webStream(), parts("", ""), parts("a\ud83d", "\ude00b"), parts("\ud83d", "x")]) {
      await alice.sendText(source, { ...TO_BOB, confirm: true });
    }
    assert.equal(texts, ["", "", "", "a😀b", "\ufffdx"]);
  }));

test("sendText: a source that fails aborts the stream after the parts before, and its error stays with the caller", () =>
  inPair(async (alice, bob) => {
    async function* failing(): AsyncGenerator<string> {
      yield "so far";
      await Promise.resolve();
      throw new Error("no more tokens");
    }
    let pulls = 0;
    const failed = new ReadableStream<string>({
      pull(controller) {
        if (pulls++ === 0) controller.enqueue("so far");
        else controller.error(new Error("no more tokens"));
      },
    });
    for (const source of [failing(), failed]) {
      const incoming = nextText(bob, "t");
      const sending = rejection(() => alice.sendText(source, TO_BOB), "aborted");
      const reader = await incoming;
      let text = "";
      const end = await rejection(async () => {
        for await (const part of reader) text += part;
      }, "aborted");
      assert.is(end.reason, "the source failed");
      assert.not.match(end.message, "no more tokens");
      assert.is(text, "so far");
      const error = await sending;
      assert.is((error.cause as Error).message, "no more tokens");
      assert.match(error.message, "source failed (no more tokens)");
      bob.unregisterTextStreamHandler("t");
    }
  }));

test("sendText: the reason of a source's StreamError reaches receivers, and its message does not", () =>
  inPair(async (alice, bob) => {
    async function* failing(error: StreamError): AsyncGenerator<string> {
      yield await Promise.resolve("so far");
      throw error;
    }
    const secret = "the key sk-secret is invalid";
    for (
      const [error, reason] of [
        [new StreamError("aborted", secret, { reason: "out of credit" }), "out of credit"],
        [new StreamError("transport", secret, { cause: new Error(secret) }), "the source failed"],
      ] as const
    ) {
      const incoming = nextText(bob, "t");
      const sending = rejection(() => alice.sendText(failing(error), TO_BOB), error.code);
      const end = await rejection(async () => await (await incoming).readAll(), "aborted");
      assert.is(end.reason, reason);
      assert.not.match(end.message, "sk-secret");
      assert.is(await sending, error);
      bob.unregisterTextStreamHandler("t");
    }
  }));

test("sendText: iterables that are none, or break at once, are failures that name them", () =>
  inPair(async (alice, bob) => {
    bob.registerTextStreamHandler("t", (reader) => void reader.readAll().catch(() => {}));
    const broken = (next: () => unknown): TextSource => ({ [Symbol.asyncIterator]: () => ({ next }) } as unknown as TextSource);
    const throwing = broken(() => {
      throw new Error("at once");
    });
    assert.match((await rejection(() => alice.sendText(throwing, TO_BOB), "aborted")).message, "at once");
    for (const next of [() => undefined, () => 5, undefined, () => Promise.resolve(null)]) {
      const error = await rejection(() => alice.sendText(broken(next as () => unknown), TO_BOB), "aborted");
      assert.ok(error.cause instanceof TypeError);
    }
    const opening = {
      [Symbol.asyncIterator]: () => {
        throw new Error("not today");
      },
    } as unknown as TextSource;
    assert.match((await rejection(() => alice.sendText(opening, TO_BOB), "aborted")).message, "not today");
  }));

for (const item of [5, null, undefined, {}, ["x"], new Uint8Array(3), new String("x")]) {
  test(`sendText: a part that is ${Object.prototype.toString.call(item)} is invalid, and ends source and stream`, () =>
    inPair(async (alice, bob) => {
      let ended = false;
      async function* mixed(): AsyncGenerator<string> {
        try {
          yield "fine";
          yield await Promise.resolve(item as string);
          yield "never asked for";
        } finally {
          ended = true;
        }
      }
      const incoming = nextText(bob, "t");
      const sending = rejection(() => alice.sendText(mixed(), TO_BOB), "invalid-argument");
      await rejection(async () => await (await incoming).readAll(), "aborted");
      assert.match((await sending).message, "must be a string: got ");
      await until(() => ended);
    }));
}

test("sendText: other values are invalid arguments, nothing is sent, and a locked stream stays its reader's", () =>
  inPair(async (alice, _, room) => {
    const eve = room.raw("eve");
    function* generator(): Generator<string> {
      yield "sync";
    }
    const locked = webStream("mine");
    const reader = locked.getReader();
    for (const wrong of [undefined, null, 5, {}, ["a", "b"], new String("x"), generator(), new Uint8Array(2), locked]) {
      await rejection(() => alice.sendText(wrong as unknown as TextSource, { topic: "t" }), "invalid-argument");
    }
    const untouched = webStream("still here");
    await rejection(() => alice.sendText(untouched, { tpic: "t" } as object), "invalid-argument");
    assert.equal((await untouched.getReader().read()).value, "still here");
    assert.equal((await reader.read()).value, "mine");
    assert.equal(eve.headers, []);
  }));

test("sendText: a web stream that is being sent cannot be sent twice", () =>
  inPair(async (alice, bob) => {
    const texts = collectTexts(bob, "t");
    const source = webStream("once");
    const sending = alice.sendText(source, { ...TO_BOB, confirm: true });
    await rejection(() => alice.sendText(source, TO_BOB), "invalid-argument");
    await sending;
    assert.equal(texts, ["once"]);
  }));

/** Ends of a stream: what ends it, and the code at the sender. */
const ENDS: readonly (readonly [name: string, code: "aborted" | "cancelled" | "disconnected", end: End])[] = [
  ["its signal", "aborted", (_alice, _bob, _room, controller) => controller.abort()],
  ["its receiver", "cancelled", async (_alice, bob) => await bob.reader().cancel()],
  ["its receiver's handler", "cancelled", (_alice, bob) => bob.fail(new Error("broken"))],
  ["its receiver's departure", "disconnected", async (_alice, bob) => await bob.runtime.close()],
  ["its receiver's disappearance", "disconnected", (_alice, _bob, room) => room.hub.vanish("bob")],
  ["its runtime's end", "aborted", async (alice) => await alice.close()],
];

interface Receiver {
  runtime: Runtime;
  reader: () => { cancel(): Promise<void> };
  fail: (error: Error) => void;
}

type End = (alice: Runtime, bob: Receiver, room: HubFixture, controller: AbortController) => unknown;

for (const kind of ["iterable", "web stream"] as const) {
  for (const [name, code, end] of ENDS) {
    test(`sendText: a silent ${kind} is ended when the stream is ended by ${name}`, () =>
      inPair(async (alice, bob, room) => {
        let ends = 0;
        const controller = new AbortController();
        const handled = new Deferred();
        const readers: { cancel(): Promise<void> }[] = [];
        bob.registerTextStreamHandler("t", (reader) => {
          readers.push(reader);
          return handled.promise;
        });
        const { signal } = controller;
        const sending = rejection(() => alice.sendText(silent(kind, () => ends++), { ...TO_BOB, signal }), code);
        await until(() => readers.length === 1);
        await end(alice, { runtime: bob, reader: () => last(readers), fail: (error) => handled.reject(error) }, room, controller);
        await sending;
        await until(() => ends > 0);
        assert.is(ends, 1);
        handled.resolve();
      }));
  }
  test(`sendText: ${kind}s are ended if the send fails before it begins`, () =>
    inPair(async (alice) => {
      let ends = 0;
      const source = (): TextSource => silent(kind, () => ends++);
      await rejection(() => alice.sendText(source(), { topic: "t", signal: AbortSignal.abort() }), "aborted");
      await rejection(() => alice.sendText(source(), { destinationIdentities: ["nobody"] }), "disconnected");
      await rejection(() => alice.sendText(source(), { attachments: ["/nowhere/to/be/found"] }), "file-error");
      await alice.close();
      await rejection(() => alice.sendText(source(), { topic: "t" }), "closed");
      await until(() => ends === 4);
    }));
}

test("sendText: a source is asked for no more than its receiver's window allows", () =>
  inPair(async (alice, bob) => {
    let asked = 0;
    async function* endless(): AsyncGenerator<string> {
      for (;; asked++) yield await Promise.resolve("x".repeat(1_000));
    }
    const incoming = nextText(bob, "t");
    const sending = rejection(() => alice.sendText(endless(), TO_BOB), "cancelled");
    const reader = await incoming;
    for (let seen = -1; seen !== asked; await pause(50)) seen = asked;
    assert.ok(asked < 8_000, `${asked} kB were asked for`);
    await reader.cancel();
    await sending;
  }));

test("sendText: 20 MB in parts arrive unchanged", () =>
  inPair(async (alice, bob) => {
    const part = "0123456789 äöü 😀 ".repeat(3_000);
    const count = 300;
    async function* large(): AsyncGenerator<string> {
      for (let at = 0; at < count; at++) yield await Promise.resolve(part);
    }
    const incoming = nextText(bob, "t");
    const sending = alice.sendText(large(), TO_BOB);
    let units = 0;
    let matches = true;
    let carried = "";
    for await (const text of await incoming) {
      units += text.length;
      carried += text;
      while (carried.length >= part.length) {
        matches &&= carried.startsWith(part);
        carried = carried.slice(part.length);
      }
    }
    await sending;
    assert.is(units, part.length * count);
    assert.ok(matches);
  }));

test("sendText: a source that has each part at once, even none of content, does not hold the event loop", () =>
  inPair(async (alice, bob) => {
    for (const text of ["", "x"]) {
      bob.registerTextStreamHandler("t", async (reader) => {
        for await (const part of reader) void part;
      });
      const endless: AsyncIterable<string> = {
        [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: false as const, value: text }) }),
      };
      const controller = new AbortController();
      const sending = rejection(() => alice.sendText(endless, { ...TO_BOB, signal: controller.signal }), "aborted");
      await pause(20); // a timer, which a held loop would never reach
      controller.abort();
      await sending;
      await until(() => bob.actor.getSnapshot().status === "active");
      bob.unregisterTextStreamHandler("t");
    }
  }, { runtime: { onError: () => {} } }));

test("sendText: a source with more than totalSize is too-large, one with less incomplete", () =>
  inPair(async (alice, bob) => {
    bob.registerTextStreamHandler("t", (reader) => void reader.readAll().catch(() => {}));
    await alice.sendText(parts("abc", "de"), { ...TO_BOB, totalSize: 5 });
    await rejection(() => alice.sendText(parts("abc", "def"), { ...TO_BOB, totalSize: 5 }), "too-large");
    await rejection(() => alice.sendText(parts("abc", "d"), { ...TO_BOB, totalSize: 5 }), "incomplete");
  }));

test("sendText: attachments follow a text in parts", () =>
  inTemporaryFolder((folder) =>
    inPair(async (alice, bob) => {
      const arrived: string[] = [];
      bob.registerTextStreamHandler("t", async (reader) => {
        await reader.readAll();
        arrived.push(...reader.info.attachments);
      });
      bob.registerByteStreamHandler("t", async (reader) => {
        await reader.saveTo(`${folder}/`);
        arrived.push(reader.info.streamId);
      });
      const file = new File(["content"], "a.txt");
      const info = await alice.sendText(parts("see ", "file"), { ...TO_BOB, attachments: [file] });
      await until(() => arrived.length === 2);
      assert.equal(arrived, [info.attachments[0], info.attachments[0]]);
    })
  ));

test("sendTextActor: takes a source, which ends when the actor is stopped", () =>
  inPair(async (alice, bob) => {
    let ended = false;
    const incoming = nextText(bob, "t");
    const input = { runtime: alice, text: silent("web stream", () => ended = true), options: TO_BOB };
    const actor = createActor(sendTextActor, { input }).start();
    const reader = await incoming;
    actor.stop();
    await rejection(() => reader.readAll(), "aborted");
    await until(() => ended);
  }));

test.run();
