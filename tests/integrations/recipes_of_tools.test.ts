// needs: agent-packages
// Recipes of examples/agents that send by a tool of MCP, and by an xstate machine in an inspector.
import * as assert from "uvu/assert";
import type { ByteStreamReader, Runtime, TextStreamReader } from "../../mod.ts";
import { Deferred } from "../../common/promises.ts";
import { fakes, type McpClient, recipes } from "../support/agents/recipes.ts";
import { pattern } from "../support/bytes.ts";
import { nextText } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { inPair, inRealTime } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";
import { until } from "../support/waiting.ts";

const test = suite("recipes");
const { addExportTool, serveInspected } = recipes;

/** Bytes of a part of a table, and number of parts. */
const PART = 100_000;
const PARTS = 50;

test("addExportTool(): the participant gets all bytes, and the model a line about them", () =>
  withTool(async ({ alice, call }) => {
    const received = new Deferred<[name: string, mimeType: string, bytes: Uint8Array]>();
    alice.registerByteStreamHandler("exports", async (reader) => {
      received.resolve([reader.info.name, reader.info.mimeType, await reader.readAll()]);
    });
    const { isError, content } = await call("sales");
    assert.not(isError);
    assert.equal(content.map(({ text }) => text), [`alice has sales.jsonl: ${PART * PARTS} bytes, checked`]);
    const [name, mimeType, bytes] = await received.promise;
    assert.equal([name, mimeType, bytes.length], ["sales.jsonl", "application/jsonl", PART * PARTS]);
    for (let part = 0; part < PARTS; part++) assert.equal(bytes.subarray(part * PART, (part + 1) * PART), pattern(PART, part));
  }));

test("addExportTool(): a table that cannot be read is the tool's error, and one of the stream without its text", () =>
  withTool(async ({ alice, call }) => {
    const reading = new Deferred<Uint8Array>();
    alice.registerByteStreamHandler("exports", (reader) => reader.readAll().then(reading.resolve, reading.reject));
    const failing = rejection(() => reading.promise, "aborted");
    assert.is((await call("broken")).isError, true);
    assert.is((await failing).reason, "the source failed");
  }));

test("addExportTool(): a participant who is absent, or does not want it, is the tool's error", () =>
  withTool(async ({ alice, call, ends }) => {
    const { isError, content } = await call("sales", { to: "nobody" });
    assert.ok(isError);
    assert.match(content[0]?.text ?? "", '"nobody"');
    alice.registerByteStreamHandler("exports", (reader) => reader.cancel("no room"));
    assert.match((await call("sales")).content[0]?.text ?? "", '"alice" cancelled it');
    await until(() => ends() > 0);
  }));

test("addExportTool(): a call that is cancelled ends stream and table", () =>
  withTool(async ({ alice, call, ends }) => {
    const readers: ByteStreamReader[] = [];
    alice.registerByteStreamHandler("exports", (reader) => void readers.push(reader));
    const controller = new AbortController();
    const calling = call("endless", { signal: controller.signal }).then(() => "done", () => "cancelled");
    await until(() => readers.length === 1);
    controller.abort();
    assert.is(await calling, "cancelled");
    await until(() => ends() === 1);
    await rejection(async () => await readers[0]?.readAll(), "aborted");
  }));

test("serveInspected(): a failed model leaves it listening, and who asks meanwhile is told that it is busy", () =>
  inspected(async ({ alice, ask, goOn }) => {
    const first = nextText(alice, "answers");
    await ask("fail");
    await rejection(async () => await (await first).readAll(), "aborted");
    alice.unregisterTextStreamHandler("answers");
    const second = nextText(alice, "answers");
    await ask("What is it?");
    const reader = await second;
    const busy = await rejection(() => ask("And this?"), "cancelled");
    assert.is(busy.reason, "busy");
    goOn();
    assert.is(await reader.readAll(), "Let me see: What is it?");
  }));

test("serveInspected(): the inspector gets machine, sends and streams with their states, as small plain data without content", () =>
  inspected(async ({ alice, ask, goOn, events }) => {
    const answer = nextText(alice, "answers");
    goOn();
    await ask("What is it?");
    await (await answer).readAll();
    const texts = events;
    const parsed = (): Inspected[] => texts.map((text) => JSON.parse(text) as Inspected);
    const names = ["agent", "runtime", "in:0", "out:0"];
    const states = ["listening", "answering", "writing", "closed"];
    await until(() => names.every((name) => parsed().some((event) => event.name === name))); // it is told in turns of its own
    await until(() => states.every((state) => parsed().some(({ snapshot }) => snapshot?.value === state)));
    assert.ok(texts.every((text) => text.length < 3_000));
    assert.equal(texts.filter((text) => text.includes("Let me see")), []);
  }));

test.run();

/** Bob's tool, which exports to Alice's side. */
interface Tool {
  readonly alice: Runtime;
  readonly call: (
    table: string,
    options?: { to?: string; signal?: AbortSignal },
  ) => ReturnType<McpClient["callTool"]>;
  /** Number of tables that were left before their end, or have failed. */
  readonly ends: () => number;
}

async function withTool(body: (tool: Tool) => Promise<void>): Promise<void> {
  await inPair(async (alice, bob) => {
    let ends = 0;
    async function* rowsOf(table: string): AsyncGenerator<Uint8Array> {
      let part = 0;
      try {
        for (; part < PARTS || table === "endless"; part++) {
          if (table === "broken" && part === PARTS / 2) throw new Error("sk-secret");
          yield await Promise.resolve(pattern(PART, part));
        }
      } finally {
        if (part < PARTS || table === "endless") ends++;
      }
    }
    const client = await fakes.mcpClient((server) => addExportTool(server, bob, rowsOf));
    try {
      const call: Tool["call"] = (table, { to = "alice", signal } = {}) =>
        client.callTool({ name: "export_table", arguments: { table, to } }, undefined, signal && { signal });
      await body({ alice, call, ends: () => ends });
    } finally {
      await client.close();
    }
  }, { runtime: { limits: { unreadTimeout: Infinity } } });
}

/** Event of an inspector. */
interface Inspected {
  readonly name?: string;
  readonly snapshot?: { readonly value?: unknown };
}

/** Bob's machine, which Alice asks. It waits in mid-answer until told to go on. */
interface Machine {
  readonly alice: Runtime;
  readonly ask: (question: string) => Promise<unknown>;
  readonly goOn: () => void;
  /** JSON of each event that the inspector has got. */
  readonly events: readonly string[];
}

async function inspected(body: (machine: Machine) => Promise<void>): Promise<void> {
  await inRealTime(async (room) => {
    const events: string[] = [];
    const waiting = new Deferred();
    async function* think(question: TextStreamReader): AsyncGenerator<string> {
      const text = await question.readAll();
      yield "Let me see";
      if (text === "fail") throw new Error("sk-secret");
      await waiting.promise;
      yield `: ${text}`;
    }
    const { runtime: alice } = await room.join("alice");
    const bob = await serveInspected(room.hub.join("bob"), think, fakes.inspectorTo((json) => void events.push(json)));
    try {
      const question = { topic: "questions", destinationIdentities: ["bob"], confirm: true };
      await body({ alice, ask: (text) => alice.sendText(text, question), goOn: () => waiting.resolve(), events });
    } finally {
      await bob.close();
    }
  });
}
