// needs: agent-packages
// Recipes of examples/agents that stream a model's answer, with the real packages and models without network.
import * as assert from "uvu/assert";
import type { RecordStreamReader, Runtime, TextStreamReader } from "../../mod.ts";
import { fakes, recipes, type Script } from "../support/agents/recipes.ts";
import { suite } from "../support/harness.ts";
import { inPair } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";
import { until } from "../support/waiting.ts";

const test = suite("recipes");
const { serveModel, serveAgent, serveGraph, progress } = recipes;

const WORDS = ["Let me ", "see: ", "42"];

/** Recipes that answer by text, each with its fake. */
const ANSWERING: readonly (readonly [string, (runtime: Runtime, script: Script) => void])[] = [
  ["serveModel()", (runtime, script) => serveModel(runtime, fakes.fakeLanguageModel(script))],
  ["serveAgent()", (runtime, script) => serveAgent(runtime, fakes.fakeAgent(script))],
];

/** Ways in which the asker stops listening. */
const LEAVING: Readonly<Record<string, (alice: Runtime, reader: { cancel(): Promise<void> }) => Promise<void>>> = {
  "the asker cancels its reader": (_alice, reader) => reader.cancel(),
  "the asker leaves": (alice) => alice.close(),
};

for (const [name, serve] of ANSWERING) {
  test(`${name}: a participant who asks gets the model's words`, () =>
    inPair(async (alice, bob) => {
      serve(bob, script("whole"));
      const reader = await ask(alice);
      assert.is(await reader.readAll(), WORDS.join(""));
    }));

  test(`${name}: a model that fails midway is an error at the asker, without its text, and onError has it`, () =>
    inPair(async (alice, bob, room) => {
      serve(bob, script("failing"));
      const { reason, message } = await rejection(async () => await (await ask(alice)).readAll(), "aborted");
      assert.not.match(`${reason} ${message}`, "sk-secret");
      await until(() => room.told("bob").length === 1);
      assert.match(room.told("bob")[0]?.error.message ?? "", "sk-secret");
    }));

  for (const [what, leave] of Object.entries(LEAVING)) {
    test(`${name}: the model is stopped when ${what}`, () =>
      inPair(async (alice, bob, room) => {
        let stops = 0;
        serve(bob, { words: WORDS, ending: "silent", stopped: () => stops++ });
        const reader = await ask(alice);
        const parts = reader[Symbol.asyncIterator]();
        assert.ok(WORDS.join("").startsWith((await parts.next()).value ?? "nothing"));
        await leave(alice, reader);
        await parts.next().catch(() => {}); // alice, who has left, has an error
        await until(() => stops === 1);
        assert.equal(room.told("bob"), []); // nobody's fault
      }));
  }
}

test("serveGraph(): a participant who asks gets words as they come, then the step, as records of the schema", () =>
  inPair(async (alice, bob) => {
    serveGraph(bob, fakes.fakeChatModel(script("whole")));
    const reader = await askGraph(alice);
    assert.equal(await reader.readAll(), [...WORDS.map((words) => ({ words })), { done: "answer" }]);
  }));

test("serveGraph(): a model that fails midway is an error at the asker, without its text, and onError has it", () =>
  inPair(async (alice, bob, room) => {
    serveGraph(bob, fakes.fakeChatModel(script("failing")));
    const { reason, message } = await rejection(async () => await (await askGraph(alice)).readAll(), "aborted");
    assert.not.match(`${reason} ${message}`, "sk-secret");
    await until(() => room.told("bob").length === 1);
    assert.match(String(room.told("bob")[0]?.error.message), "sk-secret");
  }));

for (const [what, leave] of Object.entries(LEAVING)) {
  test(`serveGraph(): the model is stopped when ${what}`, () =>
    inPair(async (alice, bob, room) => {
      let stops = 0;
      serveGraph(bob, fakes.fakeChatModel({ words: WORDS, ending: "silent", stopped: () => stops++ }));
      const reader = await askGraph(alice);
      const records = reader[Symbol.asyncIterator]();
      assert.equal((await records.next()).value, { words: WORDS[0] });
      await leave(alice, reader);
      await records.next().catch(() => {}); // alice, who has left, has an error
      await until(() => stops === 1);
      assert.equal(room.told("bob"), []); // nobody's fault
    }));
}

test.run();

function script(ending: Script["ending"]): Script {
  return { words: WORDS, ending, stopped: () => {} };
}

async function ask(alice: Runtime): Promise<TextStreamReader> {
  return await alice.request("bob", "ask", "What is it?", { reply: "text" });
}

async function askGraph(alice: Runtime): Promise<RecordStreamReader<{ words: string } | { done: string }>> {
  return await alice.request("bob", "graph", "What is it?", { reply: "records", schema: progress });
}
