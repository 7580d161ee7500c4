// Participants whom the server does not list: hidden ones, newcomers, visitors who leave too early.
import * as assert from "uvu/assert";
import { suite } from "../../support/harness.ts";
import { pattern } from "../../support/bytes.ts";
import { collectTexts, nextText, nextWhole } from "../../support/handlers.ts";
import { bytesHeardBy, heardBy, type LiveKitRoom, LiveKitRooms, type Member } from "../../support/livekit/livekit_rooms.ts";
import { until } from "../../support/waiting.ts";
import { rejection } from "../../support/rejections.ts";

const test = suite("unlisted participants of a room");
const rooms = await LiveKitRooms.start();

/** Milliseconds within which a visitor's departure is known. */
const LONGEST_MS = 8_500;

/** Milliseconds within which a server lists newcomers. */
const NEWS_MS = 3_000;

test("hidden participants: get broadcasts of text and bytes, and streams that name them", () =>
  rooms.in(async (fixture) => {
    const recorder = await fixture.plain("recorder", { hidden: true });
    const texts = heardBy(recorder, "t");
    const bytes = bytesHeardBy(recorder, "b");
    const [{ runtime: alice }, { runtime: bob }] = await fixture.acquaintedPair();
    const toBob = collectTexts(bob, "t");
    const bytesToBob = nextWhole(bob, "b");
    await alice.sendText("short", { topic: "t", confirm: true });
    await alice.sendText("long ".repeat(10_000), { topic: "t", confirm: true });
    const { receipts } = await alice.sendBytes(pattern(100_000), { topic: "b" });
    await until(() => texts.length === 2 && bytes.length === 1);
    assert.equal(receipts, [{ identity: "bob", bytes: 100_000 }]);
    assert.equal([await bytesToBob, new Uint8Array(bytes[0] ?? [])], [pattern(100_000), pattern(100_000)]);
    await alice.sendText("for you", { topic: "t", destinationIdentities: ["recorder"] });
    await alice.sendText("for both", { topic: "t", destinationIdentities: ["bob", "recorder"], confirm: true });
    await until(() => texts.length === 4);
    assert.equal(texts.map(({ text }) => text.slice(0, 8)), ["short", "long lon", "for you", "for both"]);
    assert.equal(toBob.map((text) => text.slice(0, 8)), ["short", "long lon", "for both"]);
  }));

test("hidden participants: a hidden runtime gets them as well", () =>
  rooms.in(async (fixture) => {
    const [{ runtime: alice }] = await fixture.acquaintedPair();
    const { runtime: monitor } = await fixture.adopt(await fixture.plain("monitor", { hidden: true }));
    const texts = collectTexts(monitor, "t");
    const bytes = nextWhole(monitor, "b");
    await alice.sendText("for all", { topic: "t" });
    await alice.sendText("for you", { topic: "t", destinationIdentities: ["monitor"] });
    await alice.sendBytes(pattern(100_000), { topic: "b" });
    assert.equal(await bytes, pattern(100_000));
    await until(() => texts.length === 2);
    assert.equal(texts, ["for all", "for you"]);
  }));

test("LiveKitTransport.find(): each named participant is waited for while others are present, and served at once", () =>
  rooms.in(async (fixture) => {
    const [{ runtime: alice }, { runtime: bob }] = await fixture.acquaintedPair();
    const toBob = collectTexts(bob, "t");
    const carol = await fixture.plain("carol");
    const toCarol = heardBy(carol, "t");
    const started = performance.now();
    await alice.sendText("to both", { topic: "t", destinationIdentities: ["bob", "carol"] });
    await until(() => toCarol.length === 1 && toBob.length === 1);
    assert.ok(performance.now() - started < NEWS_MS - 500, "an answer is not waited for as long as the server's news");
  }));

test("missing receivers: are listed in the receipts, or reported to onError", () =>
  rooms.in(async (fixture) => {
    const [{ runtime: alice, errors }, { runtime: bob }] = await fixture.acquaintedPair();
    const toBob = collectTexts(bob, "t");
    await alice.sendText("x", { topic: "t", destinationIdentities: ["bob", "nobody"] });
    assert.equal(errors.map(({ code, identity }) => [code, identity]), [["disconnected", "nobody"]]);
    await until(() => toBob.length === 1);
  }));

test("hidden participants: a visitor who leaves before the server lists it is gone, with all its streams", () =>
  rooms.in(async (fixture) => {
    const [alice, bob] = await fixture.acquaintedPair();
    const toBob = collectTexts(bob.runtime, "all");
    const half = nextText(alice.runtime, "half");
    const plainHalf = nextText(alice.runtime, "plain half");
    await visit(fixture, alice);
    const left = performance.now();
    // The send does not wait for its receipt until the departure is known: the visitor has claimed nothing.
    const { receipts } = await alice.runtime.sendText("to all", { topic: "all", confirm: true });
    assert.equal(receipts, [{ identity: "bob", bytes: 6 }]);
    assert.ok(performance.now() - left < 5_000, "the broadcast waited for one who has left");
    await rejection(async () => await (await half).readAll(), "disconnected");
    await rejection(async () => await (await plainHalf).readAll(), "disconnected");
    assert.ok(performance.now() - left < LONGEST_MS);
    assert.equal(toBob, ["to all"]);
    await rejection(() => alice.runtime.sendText("x", { destinationIdentities: ["visitor"] }), "disconnected");
  }));

test.after(() => rooms.close());
test.run();

/** A runtime and a plain participant who join, send half a stream each, and vanish. */
async function visit(fixture: LiveKitRoom, { room }: Member): Promise<void> {
  const visitor = await fixture.join("visitor");
  const writer = await visitor.runtime.streamText({ topic: "half", destinationIdentities: ["alice"] });
  await writer.write("half");
  const plain = await fixture.plain("plain visitor");
  const plainWriter = await plain.localParticipant?.streamText({ topic: "plain half" });
  await plainWriter?.write("half");
  await new Promise((resolve) => setTimeout(resolve, 200));
  await Promise.all([visitor.room.disconnect(), plain.disconnect()]);
  assert.equal([...room.remoteParticipants.keys()].filter((identity) => identity.includes("visitor")), []);
}
