// Open streams while a room's connection is lost and returns: they arrive whole, or end with a code at both ends.
import * as assert from "uvu/assert";
import { suite } from "../../support/harness.ts";
import { LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { all, Pair } from "../../support/livekit/pair.ts";
import { RoomEvent, SimulateScenarioKind } from "../../support/livekit/rooms.ts";

const { SIMULATE_SIGNAL_RECONNECT, SIMULATE_FULL_RECONNECT } = SimulateScenarioKind;

const test = suite("reconnecting");
const rooms = await LiveKitRooms.start();

const WHOLE = { sentByAlice: all("whole"), receivedByBob: all("whole"), sentByBob: all("whole"), receivedByAlice: all("whole") };
const CUT = {
  sentByAlice: all("disconnected"),
  receivedByBob: all("disconnected"),
  sentByBob: all("disconnected"),
  receivedByAlice: all("disconnected"),
};

for (const early of [false, true]) {
  const when = early ? ", though the server has not told of the other yet" : "";
  test(`reconnecting: a resumed connection loses nothing${when}`, () =>
    Pair.underWay(rooms, async (pair) => {
      const { room } = pair.alice;
      const reconnected = new Promise<void>((resolve) => room.once(RoomEvent.Reconnected, () => resolve()));
      await room.simulateScenario(SIMULATE_SIGNAL_RECONNECT);
      await reconnected;
      await pair.assertAlive();
      pair.finish();
      assert.equal(await pair.outcome(), WHOLE);
    }, { early, fileBytes: 500_000 }), { seconds: 40 });

  test(
    `reconnecting: a new connection ends streams at both ends, and new ones work${when}`,
    () =>
      Pair.underWay(rooms, async (pair) => {
        const { room } = pair.alice;
        const reconnected = new Promise<void>((resolve) => room.once(RoomEvent.Reconnected, () => resolve()));
        await room.simulateScenario(SIMULATE_FULL_RECONNECT);
        assert.equal(await pair.outcome(), CUT);
        await reconnected;
        await pair.assertAlive();
      }, { early }),
    { seconds: 40 },
  );
}

test("reconnecting: late news of a participant end nothing", () =>
  Pair.underWay(rooms, async (pair) => {
    const { room } = pair.alice;
    await new Promise<void>((resolve) => {
      room.on(RoomEvent.ParticipantConnected, () => resolve());
      if (room.remoteParticipants.has("bob")) resolve();
    });
    await pair.assertAlive();
    pair.finish();
    assert.equal(await pair.outcome(), WHOLE);
  }, { early: true, fileBytes: 500_000 }), { seconds: 40 });

test.after(() => rooms.close());
test.run();
