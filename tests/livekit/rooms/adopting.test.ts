// A Room and the runtime that has adopted it: conditions, the owner's rights, and the state in which the Room is given back.
import * as assert from "uvu/assert";
import { suite } from "../../support/harness.ts";
import { collectTexts } from "../../support/handlers.ts";
import { heardBy, LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { until } from "../../support/waiting.ts";
import { rejection } from "../../support/rejections.ts";
import { type AdoptableRoom, livekit } from "../../../transports/livekit/mod.ts";
import { ffiClient } from "../../support/livekit/recorder.ts";
import { type Participant, Room, RoomEvent } from "../../support/livekit/rooms.ts";

const test = suite("livekit(room)");
const rooms = await LiveKitRooms.start();

test("livekit(room): refuses a Room that is not connected, or no longer", () =>
  rooms.in(async (fixture) => {
    const never = await rejection(() => livekit(new Room()), "transport");
    assert.match(never.message, "Cannot adopt the room as it must be connected");
    const room = await fixture.plain("alice");
    await room.disconnect();
    await rejection(() => livekit(room), "transport");
  }));

test("livekit(room): a value that is no Room is an invalid argument", async () => {
  for (const wrong of [undefined, null, "room", 7, {}, []]) {
    const error = await rejection(() => livekit(wrong as unknown as AdoptableRoom), "invalid-argument");
    assert.match(error.message, "Cannot adopt the room: expected a Room of @livekit/rtc-node");
  }
});

test("livekit(room): refuses a Room whose version lacks a needed member, and names that", () =>
  rooms.in(async (fixture) => {
    const room = await fixture.plain("alice");
    for (const name of ["ffiHandle", "textStreamHandlers", "byteStreamHandlers", "remoteParticipants", "localParticipant"]) {
      const without = new Proxy(room, { get: (target, key) => key === name ? undefined : Reflect.get(target, key, target) });
      const error = await rejection(() => livekit(without), "transport");
      assert.match(error.message, `lacks room.${name}`);
      assert.match(error.message, "0.13.34 or 1.1.0");
    }
    const { runtime } = await fixture.adopt(room); // nothing of it is left behind
    await runtime.close();
  }));

test("livekit(room): refuses a Room without the SDK's native client", () =>
  rooms.in(async (fixture) => {
    const room = await fixture.plain("alice");
    const client = ffiClient();
    try {
      Object.assign(globalThis, { _ffiClientInstance: undefined });
      const error = await rejection(() => livekit(room), "transport");
      assert.match(error.message, "lacks globalThis._ffiClientInstance.request");
    } finally {
      Object.assign(globalThis, { _ffiClientInstance: client });
    }
  }));

test("livekit(room): adopts a Room once at a time, and again when it was given back", () =>
  rooms.in(async (fixture) => {
    const alice = await fixture.join("alice");
    const error = await rejection(() => livekit(alice.room), "transport");
    assert.match(error.message, 'adopted already: identity is "alice"');
    await alice.runtime.close();
    const again = await fixture.adopt(alice.room);
    const bob = await fixture.join("bob");
    await fixture.acquaint(again, bob);
    const texts = collectTexts(again.runtime, "t");
    await bob.runtime.sendText("hello", { topic: "t", destinationIdentities: ["alice"], confirm: true });
    assert.equal(texts, ["hello"]);
    assert.is(alice.room.isConnected, true);
  }));

test("livekit(room): another copy of the package is told that the Room is adopted, and may adopt it later", () =>
  rooms.in(async (fixture) => {
    const adopter = Symbol.for("millrace.adopter"); // by this copies tell each other
    const alice = await fixture.join("alice");
    assert.ok(adopter in alice.room);
    await alice.runtime.close();
    assert.not(adopter in alice.room);
    Object.defineProperty(alice.room, adopter, { value: "another copy", configurable: true });
    const error = await rejection(() => livekit(alice.room), "invalid-argument");
    assert.match(error.message, 'another copy of this package has adopted it: identity is "alice"');
    Reflect.deleteProperty(alice.room, adopter);
    await (await fixture.adopt(alice.room)).runtime.close();
  }));

test("livekit(room): a Room that was given back works on, without extra listeners", () =>
  rooms.in(async (fixture) => {
    const dave = await fixture.plain("dave");
    const room = await fixture.plain("alice");
    const before = ffiClient().listenerCount("ffi_event");
    for (let time = 1; time <= 3; time++) {
      const { runtime } = await fixture.adopt(room);
      assert.is(ffiClient().listenerCount("ffi_event"), before + 1);
      runtime.registerTextStreamHandler("t", () => {});
      await runtime.sendText("from the runtime", { topic: "t", destinationIdentities: ["dave"] });
      await runtime.close();
      assert.is(ffiClient().listenerCount("ffi_event"), before);
    }
    const toAlice = heardBy(room, "t");
    const toDave = heardBy(dave, "t");
    await room.localParticipant?.sendText("there", { topic: "t" });
    await dave.localParticipant?.sendText("and back", { topic: "t" });
    await until(() => toAlice.length > 0 && toDave.length > 0);
    assert.equal(toAlice, [{ from: "dave", text: "and back", attributes: {} }]);
    assert.equal(toDave, [{ from: "alice", text: "there", attributes: {} }]);
  }));

test("livekit(room): a Room that its owner leaves keeps no listener", () =>
  rooms.in(async (fixture) => {
    const before = ffiClient().listenerCount("ffi_event");
    const { runtime, room } = await fixture.join("alice");
    await room.disconnect();
    await until(() => runtime.actor.getSnapshot().value === "closed");
    assert.is(ffiClient().listenerCount("ffi_event"), before);
    await rejection(() => runtime.sendText("late"), "disconnected");
  }));

test("livekit(room): a runtime that starts long after its Room has joined finds the others, and is found", () =>
  rooms.in(async (fixture) => {
    const rooms = [await fixture.plain("alice"), await fixture.plain("bob"), await fixture.plain("carol")] as const;
    await until(() => rooms.every(({ remoteParticipants }) => remoteParticipants.size === 2));
    const alice = await fixture.adopt(rooms[0]);
    const bob = await fixture.adopt(rooms[1]);
    await fixture.acquaint(alice, bob);
    const texts = collectTexts(bob.runtime, "t");
    const { receipts } = await alice.runtime.sendText("hello", { topic: "t", confirm: true });
    assert.equal(receipts, [{ identity: "bob", bytes: 5 }]);
    assert.equal(texts, ["hello"]);
  }));

test("livekit(room): a closed runtime whose Room stays is a participant of another SDK from then on", () =>
  rooms.in(async (fixture) => {
    const [alice, bob] = await fixture.acquaintedPair();
    const texts = collectTexts(bob.runtime, "t");
    const heard = heardBy(bob.room, "t");
    const { receipts } = await alice.runtime.sendText("one", { topic: "t", confirm: true });
    assert.equal(receipts, [{ identity: "bob", bytes: 3 }]);
    await bob.runtime.close();
    await until(async () => {
      await alice.runtime.sendText("plain now", { topic: "t" }); // until the goodbye has come, for the runtime that was
      return heard.length > 0;
    });
    assert.equal(heard[0], { from: "alice", text: "plain now", attributes: {} });
    assert.equal(texts, ["one"]);
  }));

test("livekit(room): metadata, attributes and name stay unchanged, for the participant and for others", () =>
  rooms.in(async (fixture) => {
    const dave = await fixture.plain("dave");
    const room = await fixture.plain("alice", { canUpdateOwnMetadata: true });
    await room.localParticipant?.updateMetadata("mine");
    await room.localParticipant?.setAttributes({ mood: "calm" });
    await room.localParticipant?.updateName("Alice");
    const shown = (of: Participant | undefined): unknown => ({
      metadata: of?.metadata,
      attributes: { ...of?.attributes },
      name: of?.name,
    });
    const expected = { metadata: "mine", attributes: { mood: "calm" }, name: "Alice" };
    const changes: string[] = [];
    await until(() => JSON.stringify(shown(dave.remoteParticipants.get("alice"))) === JSON.stringify(expected));
    dave.on(RoomEvent.ParticipantAttributesChanged, () => void changes.push("attributes"));
    dave.on(RoomEvent.ParticipantMetadataChanged, () => void changes.push("metadata"));
    dave.on(RoomEvent.ParticipantNameChanged, () => void changes.push("name"));
    const alice = await fixture.adopt(room);
    const bob = await fixture.join("bob");
    const heard = heardBy(dave, "t");
    await alice.runtime.sendText("to all", { topic: "t" });
    await bob.runtime.sendText("to alice", { topic: "t", destinationIdentities: ["alice"] });
    await until(() => heard.length === 1);
    await alice.runtime.close();
    assert.equal(shown(room.localParticipant), expected);
    assert.equal(shown(dave.remoteParticipants.get("alice")), expected);
    assert.equal(shown(bob.room.remoteParticipants.get("alice")), expected);
    assert.equal(changes, []);
  }));

test("livekit(room): the user's own data packets and calls go on, and their handlers see nothing else", () =>
  rooms.in(async (fixture) => {
    const [alice, bob] = await fixture.acquaintedPair();
    const packets: string[] = [];
    for (const { room } of [alice, bob]) {
      room.on(RoomEvent.DataReceived, (payload, from, _kind, topic) => {
        packets.push(`${from?.identity} ${topic} ${new TextDecoder().decode(payload)}`);
      });
    }
    const calls: string[] = [];
    bob.room.localParticipant?.registerRpcMethod("greet", ({ callerIdentity, payload }) => {
      calls.push(`${callerIdentity} ${payload}`);
      return Promise.resolve("hello back");
    });
    const texts = collectTexts(bob.runtime, "t");
    const sending = alice.runtime.sendText("text ".repeat(20_000), { topic: "t", confirm: true });
    await alice.room.localParticipant?.publishData(new TextEncoder().encode("ping"), { reliable: true, topic: "d" });
    const answer = await alice.room.localParticipant?.performRpc({
      destinationIdentity: "bob",
      method: "greet",
      payload: "hello",
    });
    await sending;
    await until(() => packets.length > 0);
    assert.is(answer, "hello back");
    assert.equal(packets, ["alice d ping"]);
    assert.equal(calls, ["alice hello"]);
    assert.equal(texts.map(({ length }) => length), [100_000]);
  }));

test.after(() => rooms.close());
test.run();
