// Open streams when the server dies, and returns or does not.
import * as assert from "uvu/assert";
import { suite } from "../../support/harness.ts";
import { rejection } from "../../support/rejections.ts";
import { LiveKitRoom, type LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { all, assertGone, listeners, Pair } from "../../support/livekit/pair.ts";
import { disposeAll, RoomEvent } from "../../support/livekit/rooms.ts";
import { startServer, type TestServer } from "../../../bench/support/server.ts";
import type { Endings } from "../../support/livekit/traffic.ts";

const test = suite("lost server");

const CUT = {
  sentByAlice: all("disconnected"),
  receivedByBob: all("disconnected"),
  sentByBob: all("disconnected"),
  receivedByAlice: all("disconnected"),
};

test(
  "lost server: streams end if the server dies and returns at once, and new ones work",
  () =>
    withServer((server, fixture) =>
      Pair.underWay(fixture, async (pair) => {
        const connections = connectionsOf(pair);
        await server.restart();
        assert.equal(await pair.outcome(), CUT);
        await assertAliveOrTold(pair, await connections);
      })
    ),
  { seconds: 60 },
);

test(
  "lost server: before the server has listed the other, no stream hangs or is lost silently",
  () =>
    withServer((server, fixture) =>
      Pair.underWay(fixture, async (pair) => {
        const connections = connectionsOf(pair);
        await server.restart();
        const endings = Object.values(await pair.outcome()).flatMap((each: Endings) => Object.values(each));
        // A runtime that learns late of its own presumed departure may have asked about a stream that nobody knew any more.
        assert.equal(endings.filter((ending) => ending !== "disconnected" && ending !== "incomplete"), []);
        await assertAliveOrTold(pair, await connections);
      }, { early: true })
    ),
  { seconds: 60 },
);

test(
  "lost server: if the server stays away, named streams end, the rest when the Room disconnects",
  () =>
    withServer((server, fixture) =>
      Pair.underWay(fixture, async (pair) => {
        const { room, runtime } = pair.alice;
        const disconnected = new Promise<void>((resolve) => room.once(RoomEvent.Disconnected, () => resolve()));
        const before = listeners();
        const writer = await runtime.streamText();
        await server.kill();
        assertGone(Object.values(await pair.outcome()).flatMap((each: Endings) => Object.values(each)));
        await rejection(async () => {
          for (;;) await writer.write("is anybody there?");
        }, "disconnected");
        await disconnected;
        await rejection(() => runtime.sendText("hello"), "disconnected");
        assert.ok(listeners() < before);
      })
    ),
  { seconds: 90 },
);

test.after(disposeAll);
test.run();

/** A server of a test's own, with one room. */
async function withServer(body: (server: TestServer, fixture: Pick<LiveKitRooms, "in">) => Promise<void>): Promise<void> {
  await using server = await startServer();
  await body(server, {
    in: async (body) => {
      const fixture = new LiveKitRoom(server, "room");
      try {
        await body(fixture);
      } finally {
        await fixture.close();
      }
    },
  });
}

/** Whether each Room has a connection again, or says that it has none: its SDK may hang if a packet waited as the server died. */
async function connectionsOf({ alice, bob }: Pair): Promise<readonly boolean[]> {
  return await Promise.all([alice, bob].map(({ room }) =>
    new Promise<boolean>((resolve) => {
      room.once(RoomEvent.Reconnected, () => resolve(true));
      room.once(RoomEvent.Disconnected, () => resolve(false));
    })
  ));
}

async function assertAliveOrTold(pair: Pair, connections: readonly boolean[]): Promise<void> {
  if (!connections.includes(false)) return await pair.assertAlive();
  for (const [place, { room, runtime }] of [pair.alice, pair.bob].entries()) {
    assert.is(room.isConnected, connections[place]);
    if (!room.isConnected) await rejection(() => runtime.sendText("hello"), "disconnected");
  }
}
