// Open streams when a participant leaves the room: by itself, by its runtime, by the server, or by another of its name.
import { RoomServiceClient } from "livekit-server-sdk";
import * as assert from "uvu/assert";
import { suite } from "../../support/harness.ts";
import { rejection } from "../../support/rejections.ts";
import { LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { all, listeners, Pair } from "../../support/livekit/pair.ts";
import { RoomEvent } from "../../support/livekit/rooms.ts";
import { FAULT_LIMITS } from "../../support/livekit/traffic.ts";

const test = suite("leaving rooms");
const rooms = await LiveKitRooms.start();
const { url, key, secret } = rooms.server;
const service = new RoomServiceClient(url.replace(/^ws/, "http"), key, secret);

const CUT = {
  sentByAlice: all("disconnected"),
  receivedByBob: all("disconnected"),
  sentByBob: all("disconnected"),
  receivedByAlice: all("disconnected"),
};

test("Room.disconnect(): ends all streams", () =>
  Pair.underWay(rooms, async (pair) => {
    const before = listeners();
    await pair.alice.room.disconnect();
    assert.equal(await pair.outcome(), CUT);
    assert.is(listeners(), before - 2, "the runtime's and the Room's own");
    await rejection(() => pair.alice.runtime.sendText("too late"), "disconnected");
    await rejection(() => pair.bob.runtime.sendText("too late", { destinationIdentities: ["alice"] }), "disconnected");
  }));

test("runtime.close(): ends all streams, and the Room stays connected", () =>
  Pair.underWay(rooms, async (pair) => {
    const before = listeners();
    await pair.alice.runtime.close();
    assert.is(listeners(), before - 1);
    assert.equal(await pair.outcome(), {
      sentByAlice: all("aborted"),
      receivedByBob: all("aborted"),
      sentByBob: all("disconnected"),
      receivedByAlice: all("disconnected"),
    });
    assert.is(pair.alice.room.isConnected, true);
    await rejection(() => pair.alice.runtime.sendText("too late"), "closed");
    const again = await pair.fixture.adopt(pair.alice.room, { limits: FAULT_LIMITS });
    await pair.fixture.acquaint(again, pair.bob);
  }));

test("removeParticipant: streams end when the server removes a participant", () =>
  Pair.underWay(rooms, async (pair) => {
    const disconnected = new Promise<void>((resolve) => pair.alice.room.once(RoomEvent.Disconnected, () => resolve()));
    const before = listeners();
    await service.removeParticipant(pair.fixture.name, "alice");
    assert.equal(await pair.outcome(), CUT);
    await disconnected;
    assert.is(listeners(), before - 1, "the runtime's: the Room leaves its own");
    await rejection(() => pair.alice.runtime.sendText("too late"), "disconnected");
  }));

test("deleteRoom: streams end when the server deletes the room", () =>
  Pair.underWay(rooms, async (pair) => {
    await service.deleteRoom(pair.fixture.name);
    assert.equal(await pair.outcome(), CUT);
  }));

test("duplicate identity: streams end when another participant takes the name over", () =>
  Pair.underWay(rooms, async (pair) => {
    const again = await pair.fixture.join("alice", { limits: FAULT_LIMITS });
    assert.equal(await pair.outcome(), CUT);
    await pair.fixture.acquaint(again, pair.bob);
    assert.is(pair.alice.room.isConnected, false);
  }));

test.after(() => rooms.close());
test.run();
