// Chats of the AI SDK on a hub, with chunks made by hand: answers, failures, aborts, lost connections.
import * as assert from "uvu/assert";
import type { StreamError } from "../../mod.ts";
import { type ChatHandler, type ChatRequest, chatTransport, serveChat } from "../../integrations/ai_sdk/mod.ts";
import { all, chat, type Chunk, leave, message, Model, nameOf, textOf } from "../support/agents/chat_model.ts";
import { suite } from "../support/harness.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";
import { until } from "../support/waiting.ts";

const test = suite("ai-sdk");

test("sendMessages, serveChat: what the SDK sends reaches the handler, and its chunks come back", () =>
  inPair(async (alice, bob) => {
    const model = new Model();
    await using server = serveChat(bob, model.answer);
    model.say("Hello ", "world");
    model.end();
    const messages = [{ id: "1", role: "user", parts: [{ type: "text", text: "Hi" }] }];
    const sent = { ...message("c1"), messages, messageId: "m", headers: new Headers({ a: "b" }), body: { x: 1 }, metadata: [2] };
    const chunks = await all(await chat(alice).sendMessages(sent));
    assert.equal(chunks, [{ type: "text-delta", delta: "Hello " }, { type: "text-delta", delta: "world" }]);
    const { signal, ...request } = model.asked[0] as ChatRequest;
    assert.equal(request, {
      ...{ identity: "alice", chatId: "c1", trigger: "submit-message", messageId: "m", messages },
      ...{ headers: { a: "b" }, body: { x: 1 }, metadata: [2] },
    });
    assert.is(signal.aborted, false);
    assert.is(server.answers, 0);
  }));

test("serveChat: takes web streams and promises of them", () =>
  inPair(async (alice, bob) => {
    await using _server = serveChat(bob, async () => {
      await Promise.resolve();
      return new ReadableStream<object>({
        start(controller) {
          controller.enqueue({ type: "start" });
          controller.close();
        },
      });
    });
    assert.equal(await all(await chat(alice).sendMessages(message("c"))), [{ type: "start" }]);
  }));

/** Handlers that fail, each in another way. */
const FAILING: Readonly<Record<string, () => unknown>> = {
  "throws": () => {
    throw new Error("sk-secret");
  },
  "rejects": () => Promise.reject(new Error("sk-secret")),
  "gives a stream that fails": async function* () {
    yield { type: "text-delta", delta: "half" };
    throw new Error("sk-secret");
  },
  "gives no stream": () => 5,
  "gives chunks that are none": async function* () {
    yield 5;
  },
};

for (const [what, handler] of Object.entries(FAILING)) {
  test(`serveChat: a handler that ${what} is a chunk "error" without its text at the client, and onError has it`, () =>
    inPair(async (alice, bob, room) => {
      await using server = serveChat(bob, handler as ChatHandler);
      const chunks = await all(await chat(alice).sendMessages(message("c")));
      assert.equal(chunks.at(-1), { type: "error", errorText: "The answer failed." });
      await until(() => room.told("bob").length === 1);
      await until(() => server.answers === 0);
    }));
}

test("serveChat: onError makes the text of an error, and one that throws makes the default", () =>
  inPair(async (alice, bob) => {
    const texts: (() => string)[] = [() => "no model today", () => {
      throw new Error("sk-secret");
    }];
    const onError = (): string => texts.shift()?.() ?? "";
    await using _server = serveChat(bob, () => Promise.reject(new Error("x")), { onError });
    assert.is((await all(await chat(alice).sendMessages(message("c"))))[0]?.errorText, "no model today");
    assert.is((await all(await chat(alice).sendMessages(message("c"))))[0]?.errorText, "The answer failed.");
  }));

test("sendMessages: an abort stops the model, and the chunks end with an AbortError", () =>
  inPair(async (alice, bob) => {
    const model = new Model();
    await using server = serveChat(bob, model.answer);
    const abort = new AbortController();
    const chunks = (await chat(alice).sendMessages(message("c", abort.signal))).getReader();
    model.say("one");
    assert.is((await chunks.read()).value?.delta, "one");
    abort.abort();
    assert.is(await nameOf(chunks.read()), "AbortError");
    await until(() => model.asked[0]?.signal.aborted === true && server.answers === 0);
  }));

test("sendMessages: an abort before the answer begins stops it too", () =>
  inPair(async (alice, bob) => {
    const model = new Model();
    await using server = serveChat(bob, model.answer);
    const abort = new AbortController();
    const sending = nameOf(chat(alice).sendMessages(message("c", abort.signal)));
    abort.abort();
    assert.is(await sending, "AbortError");
    assert.is(await nameOf(chat(alice).sendMessages(message("c", abort.signal))), "AbortError");
    await until(() => server.answers === 0 && (model.asked.length === 0 || model.asked[0]?.signal.aborted === true));
  }));

test("reconnectToStream: a lost connection does not stop the model, and the answer comes from its beginning", () =>
  inPair(async (alice, bob, room) => {
    const model = new Model();
    await using server = serveChat(bob, model.answer);
    const lost = (await chat(alice).sendMessages(message("c"))).getReader();
    model.say("one ");
    assert.is((await lost.read()).value?.delta, "one ");
    await alice.close();
    await rejection(() => lost.read(), "disconnected");
    model.say("two ");
    await until(() => model.taken === 2);
    const { runtime: again } = await room.join("alice");
    const resumed = await chat(again).reconnectToStream({ chatId: "c" });
    model.say("three");
    model.end();
    assert.is(textOf(await all(resumed as ReadableStream<Chunk>)), "one two three");
    assert.is(model.asked[0]?.signal.aborted, false);
    await until(() => server.answers === 0);
    assert.is(await chat(again).reconnectToStream({ chatId: "c" }), null);
  }));

test("reconnectToStream: an answer that has ended meanwhile is kept", () =>
  inPair(async (alice, bob, room) => {
    const model = new Model();
    await using server = serveChat(bob, model.answer);
    await leave(alice, bob);
    model.say("whole");
    model.end();
    await until(() => model.taken === 1);
    const resumed = await chat(alice).reconnectToStream({ chatId: "c" });
    assert.is(textOf(await all(resumed as ReadableStream<Chunk>)), "whole");
    await until(() => server.answers === 0);
    assert.equal(room.told("bob"), []);
  }));

test("reconnectToStream: an abort of the resumed answer stops the model", () =>
  inPair(async (alice, bob) => {
    const model = new Model();
    await using _server = serveChat(bob, model.answer);
    await (await chat(alice).sendMessages(message("c"))).cancel();
    const abort = new AbortController();
    const resumed = (await chat(alice).reconnectToStream({ chatId: "c", abortSignal: abort.signal }))?.getReader();
    model.say("one");
    await resumed?.read();
    abort.abort();
    await until(() => model.asked[0]?.signal.aborted === true);
  }));

test("sendMessages: a participant that is absent or leaves is disconnected, a silent one a timeout", () =>
  inPair(async (alice, bob) => {
    await rejection(() => chatTransport(alice, { identity: "nobody" }).sendMessages(message("c")), "disconnected");
    bob.registerRequestHandler("silent", () => new Promise<void>(() => {}));
    const silent = chatTransport(alice, { identity: "bob", topic: "silent", timeout: 20 });
    await rejection(() => silent.sendMessages(message("c")), "timeout");
    serveChat(bob, new Model().answer);
    const chunks = await chat(alice).sendMessages(message("c"));
    const reading = rejection(() => all(chunks), "aborted");
    await bob.close();
    await reading;
    await alice.close();
    await rejection(() => chat(alice).sendMessages(message("c")), "closed");
  }));

test("serveChat, chatTransport: wrong arguments are invalid", () =>
  inPair(async (alice, bob) => {
    const { answer } = new Model();
    const isInvalid = ({ code }: StreamError): boolean => code === "invalid-argument";
    const serve = (...args: readonly unknown[]): unknown => Reflect.apply(serveChat, undefined, args);
    const make = (...args: readonly unknown[]): unknown => Reflect.apply(chatTransport, undefined, args);
    for (
      const call of [
        () => serve({}, answer),
        () => serve(bob, 5),
        () => serve(bob, answer, 5),
        () => serve(bob, answer, { topik: "x" }),
        () => serve(bob, answer, { topic: 5 }),
        () => serve(bob, answer, { keptBytes: -1 }),
        () => serve(bob, answer, { readerMs: "1" }),
        () => serve(bob, answer, { onError: "x" }),
        () => make(undefined, { identity: "bob" }),
        () => make(alice),
        () => make(alice, {}),
        () => make(alice, { identity: "" }),
        () => make(alice, { identity: "bob", timeout: 0 }),
      ]
    ) assert.throws(call, isInvalid);
    await using _server = serveChat(bob, answer);
    assert.throws(() => serveChat(bob, answer), ({ code }: StreamError) => code === "handler-exists");
    const transport = chat(alice) as unknown as Record<string, (given: unknown) => Promise<unknown>>;
    for (const given of [undefined, {}, { ...message("c"), messages: "x" }, { ...message("c"), abortSignal: 5 }]) {
      await rejection(async () => await transport["sendMessages"]?.(given), "invalid-argument");
    }
    const circular: unknown[] = [];
    circular.push(circular);
    await rejection(() => chat(alice).sendMessages({ ...message("c"), messages: circular }), "invalid-argument");
    await rejection(async () => await transport["reconnectToStream"]?.({ chatId: 5 }), "invalid-argument");
  }));

test.run();
