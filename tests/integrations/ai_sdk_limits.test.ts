// Bounds of chats of the AI SDK: of memory, time and number, and who may do what.
import * as assert from "uvu/assert";
import { serveChat } from "../../integrations/ai_sdk/mod.ts";
import { all, chat, type Chunk, leave, message, Model, textOf, withServer } from "../support/agents/chat_model.ts";
import { suite } from "../support/harness.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";
import { until } from "../support/waiting.ts";

const test = suite("ai-sdk limits");

test("serveChat: an answer that nobody reads is stopped after readerMs, and forgotten", () =>
  withServer({ readerMs: 30 }, async (alice, model, server) => {
    await (await chat(alice).sendMessages(message("c"))).cancel();
    await until(() => model.asked[0]?.signal.aborted === true && server.answers === 0);
    assert.is(await chat(alice).reconnectToStream({ chatId: "c" }), null);
  }));

test("serveChat: a model waits for a reader once keptBytes are kept", () =>
  withServer({ keptBytes: 1_000 }, async (alice, model, _server, bob) => {
    await leave(alice, bob);
    model.say(...Array.from({ length: 100 }, () => "x".repeat(50)));
    model.end();
    await until(() => model.taken > 10);
    const before = model.taken;
    const resumed = await chat(alice).reconnectToStream({ chatId: "c" });
    assert.ok(before < 20, `${before} chunks`);
    assert.is(textOf(await all(resumed as ReadableStream<Chunk>)).length, 5_000);
  }));

test("serveChat: an answer of more than keptBytes cannot be resumed, and is stopped with its reader", () =>
  withServer({ keptBytes: 1_000 }, async (alice, model) => {
    const chunks = (await chat(alice).sendMessages(message("c"))).getReader();
    model.say(...Array.from({ length: 100 }, () => "x".repeat(50)));
    for (let read = 0; read < 100; read++) await chunks.read();
    assert.is(await chat(alice).reconnectToStream({ chatId: "c" }), null);
    await chunks.cancel();
    await until(() => model.asked[0]?.signal.aborted === true);
  }));

test("serveChat: a fast model waits for a slow reader", () =>
  withServer({}, async (alice, model) => {
    const chunks = await chat(alice).sendMessages(message("c"));
    model.say(...Array.from({ length: 4_000 }, () => "x".repeat(1_000)));
    model.end();
    await until(() => model.taken > 100);
    assert.ok(model.taken < 4_000);
    assert.is(textOf(await all(chunks)).length, 4_000_000);
  }));

test("serveChat: a chat's next message ends its answer; other chats go on", () =>
  withServer({}, async (alice, model) => {
    const transport = chat(alice);
    const first = await transport.sendMessages(message("c"));
    await transport.sendMessages(message("other"));
    await transport.sendMessages({ ...message("c"), trigger: "regenerate-message" });
    assert.equal((await all(first)).map(({ type }) => type), ["abort"]);
    await until(() => model.asked.length === 3);
    assert.equal(model.asked.map(({ signal }) => signal.aborted), [true, false, false]);
  }));

test("serveChat: nobody resumes or stops the chat of another", () =>
  inPair(async (alice, bob, room) => {
    const model = new Model();
    await using _server = serveChat(bob, model.answer);
    const { runtime: eve } = await room.join("eve");
    await chat(alice).sendMessages(message("c"));
    await until(() => model.asked.length === 1);
    assert.is(await chat(eve).reconnectToStream({ chatId: "c" }), null);
    const abort = new AbortController();
    await chat(eve).sendMessages(message("c", abort.signal));
    abort.abort();
    await until(() => model.asked[1]?.signal.aborted === true);
    assert.is(model.asked[0]?.signal.aborted, false);
  }));

test("serveChat: a participant has at most 16 answers", () =>
  withServer({}, async (alice) => {
    const transport = chat(alice);
    for (let at = 0; at < 16; at++) await transport.sendMessages(message(`c${at}`));
    await rejection(() => transport.sendMessages(message("one more")), "cancelled");
  }));

test("serveChat: texts that are no messages are errors of their sender's", () =>
  inPair(async (alice, bob, room) => {
    const model = new Model();
    await using _server = serveChat(bob, model.answer);
    const wrong = [
      "",
      "5",
      "{}",
      '{"type":"__proto__"}',
      '{"type":"submit","chatId":"c"}',
      '{"type":"submit","chatId":"c","trigger":"x","messages":[]}',
      '{"type":"submit","chatId":"c","trigger":"submit-message","messages":[],"body":[]}',
      '{"type":"resume","chatId":5}',
      '{"type":"abort","chatId":"c"}',
    ];
    for (const text of wrong) await rejection(() => alice.request("bob", "ai-sdk.chat", text), "cancelled");
    assert.equal([model.asked.length, room.told("bob").length], [0, wrong.length]);
  }));

test("serveChat: close stops the answers and frees the topic; a runtime that is closed stops them too", () =>
  inPair(async (alice, bob) => {
    const model = new Model();
    const server = serveChat(bob, model.answer);
    const chunks = await chat(alice).sendMessages(message("c"));
    await server.close();
    await server.close();
    assert.equal((await all(chunks)).map(({ type }) => type), ["abort"]);
    await rejection(() => chat(alice).sendMessages(message("c")), "refused");
    serveChat(bob, model.answer);
    await chat(alice).sendMessages(message("c"));
    await until(() => model.asked.length === 2);
    await bob.close();
    await until(() => model.asked.every(({ signal }) => signal.aborted));
  }));

test.run();
