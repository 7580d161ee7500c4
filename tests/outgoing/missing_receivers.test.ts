// Absent or departed named receivers: listed in the receipts, or reported to onError without receipts.
import * as assert from "uvu/assert";
import { suite } from "../support/harness.ts";
import { nextText } from "../support/handlers.ts";
import { inPair } from "../support/hub/hub_fixture.ts";

const test = suite("missing receivers");

test("missing receivers: are in the receipts, or reported to onError without receipts", () =>
  inPair(async (alice, bob, room) => {
    bob.registerTextStreamHandler("t", async (reader) => void await reader.readAll());
    const to = { topic: "t", destinationIdentities: ["nobody", "bob"] };
    const { receipts } = await alice.sendText("x", { ...to, confirm: true });
    assert.equal(receipts, [{ identity: "nobody", bytes: 0, error: "disconnected" }, { identity: "bob", bytes: 1 }]);
    assert.equal(room.told("alice"), []);
    const { streamId } = await alice.sendText("x", to);
    const told = room.told("alice").map(({ error, context }) => [error.code, error.identity, context]);
    assert.equal(told, [["disconnected", "nobody", { streamId, topic: "t", identity: "nobody" }]]);
  }));

test("missing receivers: one that leaves while others go on is reported if there are no receipts", () =>
  inPair(async (alice, bob, room) => {
    const { runtime: carol } = await room.join("carol");
    const readers = [nextText(bob, "t"), nextText(carol, "t")];
    for (const confirm of [false, true]) {
      if (confirm) bob.unregisterTextStreamHandler("t");
      const texts = confirm ? [nextText(bob, "t")] : readers;
      const names = confirm ? ["bob", "dave"] : ["bob", "carol"];
      const dave = confirm ? room.raw("dave") : undefined;
      const writer = await alice.streamText({ topic: "t", destinationIdentities: names, confirm });
      await writer.write("one ");
      const [atBob] = await Promise.all(texts);
      await (dave === undefined ? carol.close() : dave.transport.close());
      await writer.write("two");
      const whole = atBob?.readAll();
      await writer.close();
      assert.is(await whole, "one two");
      const told = room.told("alice").map(({ error, context }) => [error.code, error.identity, context.topic]);
      assert.equal(told, [["disconnected", "carol", "t"]]);
    }
  }));

test.run();
