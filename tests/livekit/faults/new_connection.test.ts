// New connections of participants whom the others are not told of, and a Room whose SDK hangs while its server dies.
import * as assert from "uvu/assert";
import { pattern } from "../../support/bytes.ts";
import { nextText } from "../../support/handlers.ts";
import { suite } from "../../support/harness.ts";
import { LiveKitRoom, LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { FAULT_LIMITS } from "../../support/livekit/traffic.ts";
import { RoomEvent, SimulateScenarioKind } from "../../support/livekit/rooms.ts";
import { rejection } from "../../support/rejections.ts";
import { pause } from "../../support/waiting.ts";
import type { SdkEvents } from "../../../transports/livekit/sdk/events.ts";
import { SdkRoom } from "../../../transports/livekit/sdk/room.ts";
import { startServer } from "../../../bench/support/server.ts";

const test = suite("new connections in rooms");
const rooms = await LiveKitRooms.start();

/** Time within which the others learn of a new connection, in ms. The server tells nothing of a participant that it never listed. */
const NEWS_MS = 5_000;

test(
  "new connection: of a newcomer that the server has not listed, ends its streams at both ends, and new ones work",
  () =>
    rooms.in(async (fixture) => {
      const alice = await fixture.join("alice");
      const bob = await fixture.join("bob");
      await fixture.acquaint(bob, alice);
      assert.is(alice.room.remoteParticipants.has("bob"), false);
      const offered = nextText(alice.runtime, "t");
      const writer = await bob.runtime.streamText({ topic: "t", destinationIdentities: ["alice"] });
      await writer.write("half");
      const reader = await offered;
      const reading = rejection(() => reader.readAll(), "disconnected").then(() => performance.now());
      const reconnected = new Promise<number>((resolve) =>
        bob.room.once(RoomEvent.Reconnected, () => resolve(performance.now()))
      );
      await bob.room.simulateScenario(SimulateScenarioKind.SIMULATE_FULL_RECONNECT);
      const [at, ended] = await Promise.all([reconnected, reading]);
      assert.ok(ended - at < NEWS_MS, `${ended - at} ms`);
      await rejection(() => writer.write("more"), "disconnected");
      await fixture.acquaint(bob, alice);
    }),
  { seconds: 40 },
);

test(
  "lost server: a Room that hangs as its server dies says that it is disconnected, and every stream ends",
  async () => {
    await using server = await startServer();
    const fixture = new LiveKitRoom(server, "room");
    try {
      const alice = await fixture.join("alice", { limits: FAULT_LIMITS });
      const bob = await fixture.join("bob", { limits: FAULT_LIMITS });
      await fixture.acquaint(alice, bob);
      const offered = nextText(bob.runtime, "t");
      const writer = await alice.runtime.streamText({ topic: "t", destinationIdentities: ["bob"] });
      await writer.write("half");
      const reading = offered.then((reader) => rejection(() => reader.readAll(), "disconnected"));
      const disconnected = new Promise<void>((resolve) => alice.room.once(RoomEvent.Disconnected, () => resolve()));
      const writing = rejection(async () => {
        for (;; await pause(20)) await writer.write("and more");
      }, "disconnected");
      // The program's own packets fill the data channel, and some wait for it: the SDK cannot reconnect before they are gone.
      const flood = new SdkRoom(alice.room);
      flood.listen(new Proxy({}, { get: () => () => {} }) as SdkEvents);
      for (let n = 0; n < 1_000; n++) flood.sendChunk("flood", n, pattern(15_000), ["bob"]).catch(() => {});
      await server.restart();
      await Promise.all([disconnected, reading, writing]);
      await rejection(() => writer.write("more"), "disconnected");
      await rejection(() => alice.runtime.sendText("hello"), "disconnected");
    } finally {
      await fixture.close();
    }
  },
  { seconds: 60 },
);

test.after(() => rooms.close());
test.run();
