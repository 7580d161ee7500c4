// Requests and records in rooms of a real server: between runtimes, and with participants of LiveKit's SDK alone.
import * as assert from "uvu/assert";
import { z } from "zod";
import { collectRequests } from "../../support/handlers.ts";
import { suite } from "../../support/harness.ts";
import { pattern } from "../../support/bytes.ts";
import { heardBy, LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { overhear, type Overheard } from "../../support/livekit/recorder.ts";
import type { Room } from "../../support/livekit/rooms.ts";
import { rejection } from "../../support/rejections.ts";
import { until } from "../../support/waiting.ts";

const test = suite("requests in rooms");
const rooms = await LiveKitRooms.start();

const step = z.object({ tool: z.string(), seconds: z.number() });
const STEPS = Array.from({ length: 50 }, (_, seconds) => ({ tool: `tool ${seconds}`, seconds }));

const LINES = STEPS.map((value) => JSON.stringify(value)).join("\n");

test("request(): text, records and bytes come back from a runtime in the room, and nobody else sees a packet", () =>
  rooms.in(async (fixture) => {
    const eve = await fixture.plain("eve");
    const overheard = overhear(eve);
    const [alice, bob] = await fixture.acquaintedPair();
    bob.runtime.registerRequestHandler("ask", async ({ reader }, reply) => {
      const wanted = await reader.readAll();
      if (wanted === "bytes") return void await reply.sendBytes(pattern(100_000));
      if (wanted === "text") return void await reply.sendText(words());
      const records = await reply.streamRecords({ schema: step });
      for (const value of STEPS) await records.write(value);
      await records.close();
    });
    const before = overheard.length;
    const text = await alice.runtime.request("bob", "ask", "text", { reply: "text" });
    assert.is(await text.readAll(), "Let me see: 42");
    const records = await alice.runtime.request("bob", "ask", "records", { reply: "records", schema: step });
    assert.equal(await records.readAll(), STEPS);
    const bytes = await alice.runtime.request("bob", "ask", "bytes", { reply: "bytes" });
    assert.equal(await bytes.readAll(), pattern(100_000));
    assert.equal(streamsOf(overheard.slice(before)), []);
  }));

test("request(): its cancellation reaches the handler's signal through the room", () =>
  rooms.in(async (fixture) => {
    const [alice, bob] = await fixture.acquaintedPair();
    const asked = collectRequests(bob.runtime);
    const controller = new AbortController();
    const asking = rejection(() => alice.runtime.request("bob", "ask", "x", { signal: controller.signal }), "aborted");
    await until(() => asked.length === 1);
    controller.abort();
    await asking;
    await until(() => asked[0]?.request.signal.aborted === true);
  }));

test("request(): a handler's signal aborts when the asker's connection ends", () =>
  rooms.in(async (fixture) => {
    const [alice, bob] = await fixture.acquaintedPair();
    const asked = collectRequests(bob.runtime);
    const asking = rejection(() => alice.runtime.request("bob", "ask", "x"), "disconnected");
    await until(() => asked.length === 1);
    await alice.room.disconnect();
    await asking;
    await until(() => asked[0]?.request.signal.aborted === true);
    await rejection(() => Promise.reject(asked[0]?.request.signal.reason), "disconnected");
  }));

test("request(): a participant of the SDK answers by the attribute replyToId, in text and bytes", () =>
  rooms.in(async (fixture) => {
    const { runtime: alice } = await fixture.join("alice");
    const dave = await fixture.plain("dave");
    answerPlainly(dave);
    const text = await alice.request("dave", "ask", "text", { reply: "text" });
    assert.is(await text.readAll(), "from dave");
    const bytes = await alice.request("dave", "ask", "bytes", { reply: "bytes" });
    assert.equal(await bytes.readAll(), pattern(50_000));
    const records = await alice.request("dave", "ask", "records", { reply: "records", schema: step });
    assert.equal(await records.readAll(), STEPS);
  }));

test("registerRequestHandler(): a participant of the SDK asks by a text, and knows the reply by its attribute", () =>
  rooms.in(async (fixture) => {
    const { runtime: bob } = await fixture.join("bob");
    const dave = await fixture.plain("dave");
    bob.registerRequestHandler("ask", async ({ reader, sender }, reply) => {
      const question = await reader.readAll();
      await reply.sendText(`hello ${sender.identity}`, { attributes: { question } });
    });
    const heard = heardBy(dave, "ask");
    const questions = new Map<string | undefined, string>();
    for (const question of ["who is it?", "again?"]) {
      const info = await dave.localParticipant?.sendText(question, { topic: "ask", destinationIdentities: ["bob"] });
      questions.set(info?.streamId, question);
    }
    await until(() => heard.length === 2);
    assert.equal(heard.map(({ text }) => text), ["hello dave", "hello dave"]);
    // Replies may overtake each other.
    for (const { attributes } of heard) assert.is(attributes["question"], questions.get(attributes["replyToId"]));
  }));

test("streamRecords(): a participant of the SDK reads records by their lines", () =>
  rooms.in(async (fixture) => {
    const { runtime: alice } = await fixture.join("alice");
    const dave = await fixture.plain("dave");
    const heard = heardBy(dave, "steps");
    const writer = await alice.streamRecords({
      topic: "steps",
      schema: step,
      format: "steps-1",
      destinationIdentities: ["dave"],
    });
    for (const value of STEPS) await writer.write(value);
    await writer.close();
    await until(() => heard.length === 1);
    assert.equal(heard[0]?.text.trimEnd().split("\n").map((line) => JSON.parse(line) as unknown), STEPS);
    assert.is(heard[0]?.attributes["format"], "steps-1");
  }));

test("registerRecordStreamHandler(): records come from a runtime and from the SDK's lines, and a wrong one is told", () =>
  rooms.in(async (fixture) => {
    const [alice, bob] = await fixture.acquaintedPair();
    const dave = await fixture.plain("dave");
    const got = new Map<string, unknown[]>();
    bob.runtime.registerRecordStreamHandler("steps", async (reader, { identity }) => {
      got.set(identity, await reader.readAll());
    }, { schema: step });
    const to = { topic: "steps", destinationIdentities: ["bob"] };
    const writer = await alice.runtime.streamRecords({ ...to, schema: step, confirm: true });
    for (const value of STEPS) await writer.write(value);
    await writer.close();
    await dave.localParticipant?.sendText(LINES, to);
    await until(() => got.size === 2);
    assert.equal([...got], [["alice", STEPS], ["dave", STEPS]]);
    await dave.localParticipant?.sendText(`${LINES}\n{"tool":5}`, to);
    await until(() => bob.errors.length > 0);
    assert.is(bob.errors[0]?.code, "refused");
    assert.match(bob.errors[0]?.message ?? "", `line ${STEPS.length + 1}`);
    assert.is(got.size, 2);
  }));

test.after(() => rooms.close());
test.run();

async function* words(): AsyncGenerator<string> {
  for (const word of ["Let me ", "see: ", "42"]) yield await Promise.resolve(word);
}

/** Packets of streams with headers, which hellos have not. */
function streamsOf(overheard: readonly Overheard[]): readonly Overheard[] {
  return overheard.filter(({ control }) => control === undefined);
}

/** Answers each text of the topic "ask" by the kind of stream that it names, with the SDK alone. */
function answerPlainly(dave: Room): void {
  dave.registerTextStreamHandler("ask", (reader, { identity }) => {
    const to = { topic: "ask", destinationIdentities: [identity], attributes: { replyToId: reader.info.streamId } };
    void reader.readAll().then(async (wanted) => {
      if (wanted === "bytes") {
        const writer = await dave.localParticipant?.streamBytes(to);
        await writer?.write(pattern(50_000));
        await writer?.close();
      } else {await dave.localParticipant?.sendText(
          wanted === "text" ? "from dave" : LINES,
          to,
        );}
    });
  });
}
