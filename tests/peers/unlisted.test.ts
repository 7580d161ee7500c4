// A transport that does not list everybody: what is for all reaches those too of whom the sender does not know.
import { OWN_ATTRIBUTE } from "../../protocol/constants.ts";
import * as assert from "uvu/assert";
import { createHub, createRuntime, type Hub, type Runtime, type Transport } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { collectTexts, nextBytes, nextText, nextWhole, pattern, PlainPeer, until } from "../support/participants.ts";
import { Room as VirtualRoom } from "../support/room.ts";

const test = suite("unlisted participants");

/** Short, so that a sender that pauses has to give signs of life. */
const IDLE_MS = 3_000;

test("a broadcast reaches a plain participant who is not listed, and runtimes once", () =>
  inRoom(async ({ alice, join, hub }) => {
    const hidden = new PlainPeer(hub.join("hidden"));
    const bob = await join("bob");
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
    await hidden.transport.close();
  }));

test("a short text for all is whole in its header for runtimes", () =>
  inRoom(async ({ alice, join, hub }) => {
    const bob = await join("bob");
    const texts = collectTexts(bob, "t");
    const seen = new PlainPeer(hub.join("hidden"));
    await alice.sendText("to all", { topic: "t", confirm: true });
    await until(() => seen.trailers.length === 1);
    assert.match(seen.headers[0]?.header.attributes[OWN_ATTRIBUTE] ?? "", '"x":["to all"');
    assert.equal(seen.packets.filter(({ packet }) => packet.type !== "control").map(({ packet }) => packet.type), [
      "header",
      "chunk",
      "trailer",
    ]);
    assert.equal(texts, ["to all"]);
    await seen.transport.close();
  }));

test("what names its receivers stays with them", () =>
  inRoom(async ({ alice, join, hub }) => {
    const bob = await join("bob");
    const bytes = nextWhole(bob, "b");
    const hidden = new PlainPeer(hub.join("hidden"));
    await alice.sendBytes(pattern(100_000), { topic: "b", destinationIdentities: ["bob"] });
    assert.equal(await bytes, pattern(100_000));
    assert.equal(hidden.packets.filter(({ packet }) => packet.type !== "control"), []);
    await hidden.transport.close();
  }));

/** Either packet may be the first that the sender hears of the receiver. */
for (const first of ["its hello", "its word of the stream"]) {
  test(`a runtime that gets a broadcast and is known by ${first} becomes a receiver as the others are`, async () => {
    await using room = new VirtualRoom();
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
    // To Alice she says nothing but that she lives, and how the stream stands; or hello before that.
    if (first === "its hello") await time.run(carol.sendText("here I am", { destinationIdentities: ["alice"] }));
    await time.advance(3 * IDLE_MS); // the sender pauses: signs of life go to her too
    const reading = Promise.all([atBob?.readAll(), atCarol?.readAll()]);
    for (let part = 1; part < 10; part++) await time.run(writer.write(pattern(30_000, part)));
    await time.run(writer.close());
    const [whole, same] = await reading;
    assert.is(whole?.length, 300_000);
    assert.equal(same, whole);
    assert.equal(writer.info.receipts, [{ identity: "bob", bytes: 300_000 }, { identity: "carol", bytes: 300_000 }]);
  });
}

test("one who comes back in mid-stream is no receiver of what began before", () =>
  inRoom(async ({ alice, join }) => {
    const bob = await join("bob");
    const carol = await join("carol");
    const heard = nextText(bob, "t");
    carol.registerTextStreamHandler("t", async (reader) => void await reader.readAll().catch(() => ""));
    const writer = await alice.streamText({ topic: "t", confirm: true });
    await writer.write("one ");
    await heard;
    await carol.close();
    const again = await join("carol");
    const texts = collectTexts(again, "t");
    await writer.write("two");
    const whole = heard.then((reader) => reader.readAll());
    await writer.close();
    assert.is(await whole, "one two");
    assert.equal(texts, []);
    assert.equal(writer.info.receipts?.[0], { identity: "bob", bytes: 7 });
  }));

test.run();

interface Room {
  readonly hub: Hub;
  readonly alice: Runtime;
  join(identity: string): Promise<Runtime>;
}

/** Alice and others in a hub, of whom she does not know some until they say something. */
async function inRoom(body: (room: Room) => Promise<void>): Promise<void> {
  const hub = createHub();
  const runtimes: Runtime[] = [];
  const join = async (identity: string): Promise<Runtime> => {
    const transport = identity === "alice" ? hidingSome(hub.join(identity)) : hub.join(identity);
    const runtime = await createRuntime({ transport, onError: () => {} });
    runtimes.push(runtime);
    return runtime;
  };
  try {
    const alice = await join("alice");
    await body({ hub, alice, join });
  } finally {
    await Promise.all(runtimes.map((runtime) => runtime.close()));
  }
}

/** Lists neither "hidden" nor "carol" until she says something that is heard. */
function hidingSome(transport: Transport, deaf: ReadonlySet<string> = new Set()): Transport {
  const unlisted = new Set(["hidden", "carol"]);
  return {
    identity: transport.identity,
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
    send: (packet, destinations) => transport.send(packet, destinations),
    close: () => transport.close(),
  };
}
