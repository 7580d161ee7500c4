// A transport that does not list everybody: broadcasts reach unlisted participants as well.
import { OWN_ATTRIBUTE } from "../../protocol/constants.ts";
import * as assert from "uvu/assert";
import type { Runtime, Transport } from "../../mod.ts";
import { altered } from "../support/hub/altered_transport.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { collectTexts, nextBytes, nextText, nextWhole } from "../support/handlers.ts";
import { type HubFixture, inRealTime, inVirtualTime } from "../support/hub/hub_fixture.ts";
import { until } from "../support/waiting.ts";

const test = suite("unlisted participants");

/** Short, so that a pausing sender has to send keep-alives. */
const IDLE_MS = 3_000;

test("broadcast: reaches an unlisted plain participant, and runtimes once", () =>
  withAlice(async (alice, room) => {
    const hidden = room.raw("hidden");
    const { runtime: bob } = await room.join("bob");
    const texts = collectTexts(bob, "t");
    const bytes = nextWhole(bob, "b");
    const short = await alice.sendText("to all", { topic: "t", confirm: true });
    const long = await alice.sendBytes(pattern(100_000), { topic: "b" });
    assert.equal([short.receipts, long.receipts], [[{ identity: "bob", bytes: 6 }], [{ identity: "bob", bytes: 100_000 }]]);
    await until(() => hidden.trailers.length === 2);
    assert.equal(hidden.headers.map(({ header }) => header.topic), ["t", "b"]);
    assert.is(new TextDecoder().decode(hidden.content(short.streamId)), "to all");
    assert.equal(hidden.content(long.streamId), pattern(100_000));
    assert.equal(texts, ["to all"]);
    assert.equal(await bytes, pattern(100_000));
  }));

test("sendText: a short broadcast is whole in its header for runtimes", () =>
  withAlice(async (alice, room) => {
    const { runtime: bob } = await room.join("bob");
    const texts = collectTexts(bob, "t");
    const seen = room.raw("hidden");
    await alice.sendText("to all", { topic: "t", confirm: true });
    await until(() => seen.trailers.length === 1);
    assert.match(seen.headers[0]?.header.attributes[OWN_ATTRIBUTE] ?? "", '"x":["to all"');
    assert.equal(seen.packets.filter(({ packet }) => packet.type !== "control").map(({ packet }) => packet.type), [
      "header",
      "chunk",
      "trailer",
    ]);
    assert.equal(texts, ["to all"]);
  }));

test("destinationIdentities: unlisted participants get nothing of a targeted stream", () =>
  withAlice(async (alice, room) => {
    const { runtime: bob } = await room.join("bob");
    const bytes = nextWhole(bob, "b");
    const hidden = room.raw("hidden");
    await alice.sendBytes(pattern(100_000), { topic: "b", destinationIdentities: ["bob"] });
    assert.equal(await bytes, pattern(100_000));
    assert.equal(hidden.packets.filter(({ packet }) => packet.type !== "control"), []);
  }));

/** Either packet may be the receiver's first at the sender. */
for (const first of ["its hello", "its word of the stream"]) {
  test(`broadcast: a runtime that receives it and is known by ${first} becomes a receiver like the others`, () =>
    inVirtualTime(async (room) => {
      const { time } = room;
      const deaf = new Set(["carol"]);
      const { runtime: alice } = await room.join("alice", { transport: hidingSome(room.hub.join("alice"), deaf) });
      const { runtime: bob } = await room.join("bob");
      const limits = { idleTimeout: IDLE_MS, receiveWindow: 60_000 };
      const { runtime: carol } = await room.join("carol", { limits });
      const readers = [nextBytes(bob, "b"), nextBytes(carol, "b")];
      const writer = await time.run(alice.streamBytes({ topic: "b", confirm: true }));
      await time.run(writer.write(pattern(30_000)));
      const [atBob, atCarol] = await time.run(Promise.all(readers));
      deaf.delete("carol");
      // Carol sends Alice only keep-alives and states, or a hello before.
      if (first === "its hello") await time.run(carol.sendText("here I am", { destinationIdentities: ["alice"] }));
      await time.advance(3 * IDLE_MS); // the sender pauses: signs of life go to her too
      const reading = Promise.all([atBob?.readAll(), atCarol?.readAll()]);
      for (let part = 2; part <= 10; part++) await time.run(writer.write(pattern(30_000, part)));
      await time.run(writer.close());
      const [whole, same] = await reading;
      assert.is(whole?.length, 300_000);
      assert.equal(same, whole);
      assert.equal(writer.info.receipts, [{ identity: "bob", bytes: 300_000 }, { identity: "carol", bytes: 300_000 }]);
    }));
}

test("broadcast: a participant that returns midway is no receiver of it", () =>
  withAlice(async (alice, room) => {
    const { runtime: bob } = await room.join("bob");
    const { runtime: carol } = await room.join("carol");
    const heard = nextText(bob, "t");
    carol.registerTextStreamHandler("t", async (reader) => void await reader.readAll().catch(() => ""));
    const writer = await alice.streamText({ topic: "t", confirm: true });
    await writer.write("one ");
    await heard;
    await carol.close();
    const { runtime: again } = await room.join("carol");
    const texts = collectTexts(again, "t");
    await writer.write("two");
    const whole = heard.then((reader) => reader.readAll());
    await writer.close();
    assert.is(await whole, "one two");
    assert.equal(texts, []);
    assert.equal(writer.info.receipts?.[0], { identity: "bob", bytes: 7 });
  }));

test.run();

/** Runs a test with Alice, who does not know some participants until they say something. */
function withAlice(body: (alice: Runtime, room: HubFixture) => Promise<void>): Promise<void> {
  return inRealTime(async (room) => {
    const { runtime: alice } = await room.join("alice", { transport: hidingSome(room.hub.join("alice")) });
    await body(alice, room);
  });
}

/** Hides "hidden" and "carol" until a packet of theirs is heard. */
function hidingSome(transport: Transport, deaf: ReadonlySet<string> = new Set()): Transport {
  const unlisted = new Set(["hidden", "carol"]);
  return altered(transport, () => ({
    direct: true,
    hasUnlisted: true,
    participants: () => transport.participants().filter((identity) => !unlisted.has(identity)),
    open: (events) =>
      transport.open({
        packet: (packet, from) => {
          if (deaf.has(from)) return;
          if (unlisted.delete(from)) events.joined(from);
          events.packet(packet, from);
        },
        joined: (identity) => {
          if (!unlisted.has(identity)) events.joined(identity);
        },
        left: (identity) => {
          if (!unlisted.has(identity)) events.left(identity);
        },
        closed: (error) => events.closed(error),
      }),
  }));
}
