// Participants of a room: others who come, go, return as new ones, and those whom the server has not listed yet.
import * as assert from "uvu/assert";
import { suite } from "../../support/harness.ts";
import { collectTexts, nextText } from "../../support/handlers.ts";
import { heardBy, LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { until } from "../../support/waiting.ts";
import { rejection } from "../../support/rejections.ts";
import { asked, overhear, type Overheard } from "../../support/livekit/recorder.ts";

const test = suite("presence");
const rooms = await LiveKitRooms.start();

/** Milliseconds within which a server lists participants who publish no tracks. */
const NEWS_MS = 3_000;

test("hello: runtimes greet present participants, and nobody else", () =>
  rooms.in(async (fixture) => {
    const eve = await fixture.plain("eve");
    const alice = await fixture.join("alice");
    const seen = { eve: overhear(eve), alice: overhear(alice.room) };
    const requests = await asked(async () => {
      const bob = await fixture.join("bob");
      await until(() => controls(seen.alice, "bob").includes("hello") && controls(seen.eve, "bob").includes("hello"));
      await fixture.acquaint(alice, bob);
    });
    assert.ok(requests.every(({ to }) => to.length === 1));
    assert.equal(new Set(controls(seen.eve, "bob")), new Set(["hello"]));
  }));

test("goodbye: a runtime that closes ends its streams at the others at once", () =>
  rooms.in(async (fixture) => {
    const [alice, bob] = await fixture.acquaintedPair();
    const seen = overhear(alice.room);
    const heard = nextText(alice.runtime, "t");
    const toAlice = await bob.runtime.streamText({ topic: "t", destinationIdentities: ["alice"] });
    await toAlice.write("half");
    const reader = await heard;
    bob.runtime.registerTextStreamHandler("t", () => {});
    const toBob = await alice.runtime.streamText({ topic: "t", destinationIdentities: ["bob"] });
    await toBob.write("half");
    await bob.runtime.close();
    await rejection(() => reader.readAll(), "aborted");
    await until(() => toBob.actor.getSnapshot().value === "failed");
    await rejection(() => toBob.write("more"), "disconnected");
    await until(() => controls(seen, "bob").includes("goodbye"));
    assert.is(bob.room.isConnected, true);
  }));

test("presence: a returned participant ends the streams of its earlier instance, and has its own at once", () =>
  rooms.in(async (fixture) => {
    const [alice, bob] = await fixture.acquaintedPair();
    const heard = nextText(alice.runtime, "old");
    const oldToAlice = await bob.runtime.streamText({ topic: "old", destinationIdentities: ["alice"] });
    await oldToAlice.write("half");
    const old = await heard;
    bob.runtime.registerTextStreamHandler("old", () => {});
    const oldToBob = await alice.runtime.streamText({ topic: "old", destinationIdentities: ["bob"] });
    await oldToBob.write("half");

    const again = await fixture.join("bob");
    const next = nextText(alice.runtime, "new");
    const newToAlice = await again.runtime.streamText({ topic: "new", destinationIdentities: ["alice"] });
    await newToAlice.write("all ");
    const reader = await next;
    await rejection(() => old.readAll(), "disconnected");
    await rejection(() => oldToAlice.close(), "disconnected");
    await until(() => oldToBob.actor.getSnapshot().value === "failed");
    await rejection(() => oldToBob.close(), "disconnected");
    await until(() => alice.room.remoteParticipants.get("bob")?.sid === again.room.localParticipant?.sid);
    await newToAlice.write("of it");
    await newToAlice.close();
    assert.is(await reader.readAll(), "all of it");
    await fixture.acquaint(alice, again);
  }));

test("presence: a broadcast of a newcomer that knows nobody yet reaches all present participants, once", () =>
  rooms.in(async (fixture) => {
    const alice = await fixture.join("alice");
    const dave = await fixture.plain("dave");
    const toDave = heardBy(dave, "t");
    const room = await fixture.plain("bob");
    const toBobsRoom = heardBy(room, "t");
    await alice.runtime.sendText("before anything was heard", { topic: "t" });
    await until(() => toDave.length === 1 && toBobsRoom.length === 1);
    const bob = await fixture.adopt(room);
    const toBob = collectTexts(bob.runtime, "t");
    await fixture.acquaint(alice, bob);
    await until(() => alice.room.remoteParticipants.has("dave"));
    await alice.runtime.sendText("after it", { topic: "t" });
    await until(() => toDave.length === 2 && toBob.length > 0);
    assert.equal(toDave.map(({ text }) => text), ["before anything was heard", "after it"]);
    assert.is(toBobsRoom.length, 1);
    assert.equal(toBob, ["after it"]);
  }));

test("LiveKitTransport.find(): waits for a named participant until the server lists it", () =>
  rooms.in(async (fixture) => {
    const alice = await fixture.join("alice");
    const dave = await fixture.plain("dave");
    const toDave = heardBy(dave, "t");
    await alice.runtime.sendText("to you", { topic: "t", destinationIdentities: ["dave"] });
    await until(() => toDave.length === 1);
    assert.is(toDave[0]?.text, "to you");
  }));

test("LiveKitTransport.find(): an absent participant is disconnected after the discovery time, or on abort", () =>
  rooms.in(async (fixture) => {
    const { runtime: alice } = await fixture.join("alice");
    const to = { topic: "t", destinationIdentities: ["nobody"] };
    const started = performance.now();
    const error = await rejection(() => alice.sendText("x", to), "disconnected");
    assert.match(error.message, '"nobody"');
    assert.ok(performance.now() - started > NEWS_MS);
    const controller = new AbortController();
    const sending = alice.sendText("x", { ...to, signal: controller.signal });
    controller.abort();
    await rejection(() => sending, "aborted");
    const late = alice.sendText("x", to);
    late.catch(() => {}); // looked at below
    await alice.close();
    await rejection(() => late, "closed");
  }));

test("LiveKitTransport.find(): a present named participant is served although another is absent", () =>
  rooms.in(async (fixture) => {
    const [alice, bob] = await fixture.acquaintedPair();
    const texts = collectTexts(bob.runtime, "t");
    const to = { topic: "t", destinationIdentities: ["nobody", "bob"], confirm: true };
    const { receipts } = await alice.runtime.sendText("x", to);
    assert.equal(receipts, [{ identity: "nobody", bytes: 0, error: "disconnected" }, { identity: "bob", bytes: 1 }]);
    assert.equal(texts, ["x"]);
  }));

test.after(() => rooms.close());
test.run();

/** Kinds of control packets from a participant, in order. */
function controls(seen: readonly Overheard[], from: string): (string | undefined)[] {
  return seen.filter((one) => one.from === from && one.streamId === "millrace.control").map(({ control }) => control);
}
