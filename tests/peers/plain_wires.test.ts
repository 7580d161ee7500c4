// Plain streams on the hub. `livekit/interop/plain_wires` has the same in a real room.
import * as assert from "uvu/assert";
import { suite } from "../support/harness.ts";
import { inRealTime } from "../support/hub/hub_fixture.ts";
import { CUT, expectedOf, outcomesOf, WIRES } from "../support/hub/plain_wires.ts";

const test = suite("plain streams on a hub");

test("plain streams on a hub: each ends with its code and its sender's reason", () =>
  inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const { transport } = room.raw("dave");
    assert.equal(await outcomesOf(WIRES, transport, alice), expectedOf(WIRES));
  }));

for (const who of ["alice", "dave"]) {
  test(`plain streams on a hub: without a trailer none ends whole when ${who} is cut off`, () =>
    inRealTime(async (room) => {
      const { runtime: alice } = await room.join("alice");
      const { transport } = room.raw("dave");
      const cut = (): Promise<void> => Promise.resolve(room.hub.vanish(who));
      assert.equal(await outcomesOf(CUT, transport, alice, cut), expectedOf(CUT));
    }));
}

test.run();
