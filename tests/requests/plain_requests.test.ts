// Requests and replies of other SDKs, which know streams, ids and attributes only; and who may answer.
import * as assert from "uvu/assert";
import type { StreamHeader } from "../../protocol/wire/packets.ts";
import { suite } from "../support/harness.ts";
import { type HubFixture, inPair } from "../support/hub/hub_fixture.ts";
import { isOurs, plainHeader, type RawParticipant } from "../support/hub/raw_participant.ts";
import { rejection } from "../support/rejections.ts";
import { until } from "../support/waiting.ts";

const test = suite("plain requests");

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A header that replies by the field of text streams, or by the attribute. */
function replyHeader(by: "field" | "attribute", kind: "text" | "bytes", replyToId: string, streamId: string): StreamHeader {
  if (by === "attribute") return plainHeader(streamId, "ask", kind, { attributes: { replyToId } });
  return plainHeader(streamId, "ask", "text", { content: { kind: "text", attachedStreamIds: [], replyToId } });
}

/** Another SDK's participant who answers each text by `answer`. */
function answering(room: HubFixture, answer: (dave: RawParticipant, requestId: string) => Promise<void>): RawParticipant {
  const dave = room.raw("dave");
  dave.react = (packet, from) => {
    if (from === "alice" && packet.type === "header" && packet.header.topic === "ask") void answer(dave, packet.header.streamId);
  };
  return dave;
}

for (const by of ["field", "attribute"] as const) {
  test(`request: another SDK answers text by the ${by}, and its second answer goes to onError`, () =>
    inPair(async (alice, _bob, room) => {
      const texts: string[] = [];
      alice.registerTextStreamHandler("ask", async (reader) => void texts.push(await reader.readAll()));
      answering(room, async (dave, id) => {
        for (const text of ["first", "second"]) await dave.stream(replyHeader(by, "text", id, text), [utf8(text)]);
      });
      const reader = await alice.request("dave", "ask", "anyone?", { reply: "text" });
      assert.is(await reader.readAll(), "first");
      await until(() => room.told("alice").length === 1);
      const [told] = room.told("alice");
      assert.is(told?.error.code, "refused");
      assert.is(told?.context.identity, "dave");
      assert.equal(texts, []);
    }));
}

test("request: another SDK answers bytes by the attribute", () =>
  inPair(async (alice, _bob, room) => {
    answering(room, (dave, id) => dave.stream(replyHeader("attribute", "bytes", id, "b"), [utf8("12"), utf8("345")]));
    const reader = await alice.request("dave", "ask", "x", { reply: "bytes" });
    assert.equal(await reader.readAll(), utf8("12345"));
  }));

test("request: another SDK's answer of lines is read as records", () =>
  inPair(async (alice, _bob, room) => {
    answering(room, (dave, id) => dave.stream(replyHeader("field", "text", id, "r"), [utf8('{"n":1}\n{"n"'), utf8(":2}")]));
    const reader = await alice.request("dave", "ask", "x", { reply: "records" });
    assert.equal(await reader.readAll(), [{ n: 1 }, { n: 2 }]);
  }));

test("request: answers of strangers, of another topic and to other streams are none", () =>
  inPair(async (alice, _bob, room) => {
    const texts: string[] = [];
    for (const topic of ["ask", "other"]) {
      alice.registerTextStreamHandler(topic, async (reader) => void texts.push(await reader.readAll()));
    }
    const eve = room.raw("eve");
    answering(room, async (dave, id) => {
      await eve.stream(replyHeader("field", "text", id, "e"), [utf8("of eve")]);
      await dave.stream({ ...replyHeader("field", "text", id, "o"), topic: "other" }, [utf8("elsewhere")]);
      await dave.stream(replyHeader("field", "text", "unheard of", "u"), [utf8("to another")]);
      await until(() => texts.length === 3);
      await dave.stream(replyHeader("field", "text", id, "d"), [utf8("right")]);
    });
    const reader = await alice.request("dave", "ask", "x", { reply: "text" });
    assert.is(await reader.readAll(), "right");
    assert.equal(texts.sort(), ["elsewhere", "of eve", "to another"]);
  }));

test("request: another SDK is not told of a cancelled request, as it would take that for a request", () =>
  inPair(async (alice, _bob, room) => {
    const dave = room.raw("dave");
    await alice.sendText("before", { topic: "ask", destinationIdentities: ["dave"] }); // after the wait for a hello
    await rejection(() => alice.request("dave", "ask", "x", { timeout: 100 }), "timeout");
    await alice.sendText("afterwards", { topic: "ask", destinationIdentities: ["dave"] });
    assert.is(dave.headers.length, 3);
    await rejection(() => alice.request("dave", "ask", "y", { signal: AbortSignal.abort() }), "aborted");
  }));

test("request: is disconnected when another SDK's participant leaves", () =>
  inPair(async (alice, _bob, room) => {
    const dave = room.raw("dave");
    const asking = rejection(() => alice.request("dave", "ask", "x"), "disconnected");
    await until(() => dave.headers.length === 1);
    await dave.transport.close();
    await asking;
  }));

test("registerRequestHandler: answers another SDK's text by an ordinary stream that replies to it", () =>
  inPair(async (alice, _bob, room) => {
    alice.registerRequestHandler("ask", async ({ reader, sender }, reply) => {
      if (await reader.readAll() === "fail") throw new Error("broken");
      await reply.sendText(`hello ${sender.identity}`);
    });
    const dave = room.raw("dave");
    const eve = room.raw("eve");
    await dave.stream(plainHeader("question", "ask", "text"), [utf8("who "), utf8("is it?")]);
    await until(() => dave.trailers.length === 1);
    const [answer] = dave.headers;
    assert.is(answer?.header.content.kind === "text" ? answer.header.content.replyToId : undefined, "question");
    assert.is(answer?.header.attributes["replyToId"], "question"); // some SDKs show no field
    assert.equal(dave.content(answer?.streamId ?? ""), utf8("hello dave"));
    assert.not(answer !== undefined && isOurs(answer));
    assert.equal(eve.headers.filter(({ from }) => from === "alice"), []);

    await dave.stream(plainHeader("another", "ask", "text"), [utf8("fail")]);
    await until(() => dave.trailers.length === 2);
    assert.is(dave.trailers[1]?.reason, "its handler failed");
    assert.equal(dave.headers[1]?.header.attributes["millrace.request"], "failed");
  }));

test("registerRequestHandler: a stream that replies to nothing is refused, so that two handlers do not answer each other", () =>
  inPair(async (alice, bob, room) => {
    let calls = 0;
    for (const runtime of [alice, bob]) {
      runtime.registerRequestHandler("ask", async (_request, reply) => {
        calls++;
        await reply.sendText("re");
      });
    }
    const options = { topic: "ask", destinationIdentities: ["bob"], replyToId: "of old", confirm: true };
    await rejection(() => alice.sendText("x", options), "refused");
    assert.is(calls, 0);
    await until(() => room.told("bob").length === 1);
    assert.match(room.told("bob")[0]?.error.message ?? "", "replies to no open request");
  }));

test("registerRequestHandler: only the request's sender can cancel it, and a forged cancellation reaches no handler", () =>
  inPair(async (alice, bob, room) => {
    const { runtime: carol } = await room.join("carol");
    const signals: AbortSignal[] = [];
    const texts: string[] = [];
    bob.registerRequestHandler("ask", ({ signal }) => void signals.push(signal));
    bob.registerTextStreamHandler("chat", async (reader) => void texts.push(await reader.readAll()));
    const asking = alice.request("bob", "ask", "x", { streamId: "known", timeout: Infinity });
    asking.catch(() => {});
    await until(() => signals.length === 1);
    const forged = { destinationIdentities: ["bob"], replyToId: "known", attributes: { "millrace.request": "cancelled" } };
    await carol.sendText("cancelled", { ...forged, topic: "ask", confirm: true });
    await carol.sendText("cancelled", { ...forged, topic: "chat", confirm: true });
    assert.not(signals[0]?.aborted);
    assert.equal(texts, []);
    await alice.close();
    await rejection(() => asking, "closed");
    await until(() => signals[0]?.aborted === true);
  }));

test.run();
