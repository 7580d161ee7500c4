// needs: agent-packages
// Chats with the real AI SDK: its stream of a model that has no network, its messages and its chunks.
import * as assert from "uvu/assert";
import type { Runtime } from "../../mod.ts";
import { all, type Chunk, message, textOf } from "../support/agents/chat_model.ts";
import { fakes, recipes, type Script } from "../support/agents/recipes.ts";
import { suite } from "../support/harness.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";

const test = suite("ai-sdk with its models");

const WORDS = ["Let me ", "see: ", "42"];

test("serveChat: a model's words come as the SDK's chunks, in its order", () =>
  served("whole", async (alice) => {
    const chunks = await all(await ask(alice));
    assert.is(textOf(chunks), WORDS.join(""));
    const types = chunks.map(({ type }) => type).filter((type, at, before) => type !== before[at - 1]);
    assert.equal(types, ["start", "start-step", "text-start", "text-delta", "text-end", "finish-step", "finish"]);
  }));

test("serveChat: a model that fails midway is a chunk of an error, without its text", () =>
  served("failing", async (alice) => {
    const chunks = await all(await ask(alice));
    assert.is(chunks.filter(({ type }) => type === "error").length, 1);
    assert.not.match(JSON.stringify(chunks), "sk-secret");
  }));

test("chatTransport: an abort stops the model", () =>
  served("silent", async (alice, stops) => {
    const abort = new AbortController();
    const chunks = (await ask(alice, abort.signal)).getReader();
    await chunks.read();
    abort.abort();
    await until(() => stops() === 1);
  }));

test("chatTransport: a lost connection does not stop the model, and the answer is resumed", () =>
  served("silent", async (alice, stops) => {
    const first = await ask(alice);
    await first.cancel();
    const abort = new AbortController();
    const resumed = await recipes.chatWith(alice, "bob").reconnectToStream({ chatId: "c", abortSignal: abort.signal });
    const reader = (resumed as ReadableStream<Chunk>).getReader();
    let text = "";
    while (text !== WORDS.join("")) text += (await reader.read()).value?.delta ?? "";
    assert.is(stops(), 0);
    abort.abort();
    await until(() => stops() === 1);
  }));

test.run();

function ask(alice: Runtime, signal?: AbortSignal): Promise<ReadableStream<Chunk>> {
  const messages = [{ id: "1", role: "user", parts: [{ type: "text", text: "What is it?" }] }];
  return recipes.chatWith(alice, "bob").sendMessages({ ...message("c", signal), messages });
}

async function served(ending: Script["ending"], body: (alice: Runtime, stops: () => number) => Promise<void>): Promise<void> {
  await inPair(async (alice, bob) => {
    let stops = 0;
    const model = fakes.fakeLanguageModel({ words: WORDS, ending, stopped: () => stops++ });
    await using _server = recipes.serveModelChat(bob, model);
    await body(alice, () => stops);
  });
}
