// What a plain SDK's packets mean on the hub. `livekit/plain_wires` has the same of a real room.
import * as assert from "uvu/assert";
import { suite } from "../support/harness.ts";
import { inParty } from "../support/participants.ts";
import { CUT, expectedOf, outcomesOf, WIRES } from "../support/plain_wires.ts";

const test = suite("plain wires");

test("each ends with its code and its sender's reason", () =>
  inParty(async (party) => {
    const alice = await party.join("alice");
    const { transport } = party.plain("dave");
    assert.equal(await outcomesOf(WIRES, transport, alice), expectedOf(WIRES));
  }));

for (const who of ["alice", "dave"]) {
  test(`without a trailer none ends whole when ${who} is cut off`, () =>
    inParty(async (party) => {
      const alice = await party.join("alice");
      const { transport } = party.plain("dave");
      const cut = (): Promise<void> => Promise.resolve(party.hub.vanish(who));
      assert.equal(await outcomesOf(CUT, transport, alice, cut), expectedOf(CUT));
    }));
}

test.run();
