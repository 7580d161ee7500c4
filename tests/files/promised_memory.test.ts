// Memory promised to participants who left is available to newcomers, and no stream exceeds its promise.
import * as assert from "uvu/assert";
import type { StreamError } from "../../mod.ts";
import { decodeControl } from "../../protocol/wire/control.ts";
import { collectReaders } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { type HubFixture, inVirtualTime, type Member } from "../support/hub/hub_fixture.ts";
import { frame, type RawParticipant } from "../support/hub/raw_participant.ts";

const test = suite("promised memory");

const limits = { receiveWindow: 200_000, senderWindow: 400_000, totalWindow: 1_000_000 };

/** Credit in Bob's last state to a participant. */
function told(raw: RawParticipant): number {
  const credits = raw.packets.flatMap(({ packet }) => {
    const message = packet.type === "control" ? decodeControl(packet.payload) : undefined;
    return message?.kind === "hello" || message?.kind === "state" ? [message.credit] : [];
  });
  return credits.at(-1) ?? 0;
}

/** Ids and codes of a runtime's failed streams, in order. */
function endsAt({ runtime }: Member): string[] {
  const ends: string[] = [];
  runtime.registerByteStreamHandler("t", (reader) => {
    reader.closed.catch(({ code }: StreamError) => ends.push(`${reader.info.streamId} ${code}`));
  });
  return ends;
}

async function visitor(room: HubFixture, identity: string): Promise<RawParticipant> {
  const raw = room.raw(identity);
  raw.hello("bob");
  await room.time.advance(50);
  return raw;
}

/** Traffic of a visitor before it leaves. */
const VISITS: Readonly<Record<string, (eve: RawParticipant, room: HubFixture) => Promise<void>>> = {
  "said hello only": async () => {},
  "sent a stream that is read": async (eve, room) => {
    eve.open("bob", "a", 0, { topic: "read", extension: { format: "framed" } });
    eve.chunk("bob", "a", 0, frame(0, pattern(10_000)));
    await room.time.advance(50);
  },
  "sent streams that nobody reads": async (eve, room) => {
    for (let sequence = 0; sequence < 3; sequence++) {
      eve.open("bob", `s-${sequence}`, sequence, { extension: { format: "plain" } });
      for (let index = 0; index < 6; index++) eve.chunk("bob", `s-${sequence}`, index, pattern(15_000));
    }
    await room.time.advance(50);
  },
};

const LEAVES: Readonly<Record<string, (eve: RawParticipant, room: HubFixture) => void>> = {
  "vanished": (eve, room) => room.hub.vanish(eve.transport.identity),
  "said goodbye": (eve) => eve.control({ kind: "goodbye", instance: eve.instance }, "bob"),
};

function listen({ runtime }: Member): void {
  runtime.registerByteStreamHandler("t", (reader) => void reader.closed.catch(() => {}));
  runtime.registerByteStreamHandler("read", async (reader) => void await reader.readAll());
}

for (const [visit, does] of Object.entries(VISITS)) {
  for (const [leave, leaves] of Object.entries(LEAVES)) {
    test(`ReceiveBudget: after 20 participants who ${visit} and ${leave}, a newcomer is promised as much as the first`, async () => {
      await inVirtualTime(async (room) => {
        const bob = await room.join("bob", { limits });
        listen(bob);
        const first = told(await visitor(room, "first"));
        for (let i = 0; i < 20; i++) {
          const eve = await visitor(room, `eve-${i}`);
          await does(eve, room);
          leaves(eve, room);
          await room.time.advance(100);
        }
        const last = told(await visitor(room, "last"));
        assert.is(first, limits.receiveWindow);
        assert.is(last, first);
      });
    });
  }
}

for (const over of [0, 1]) {
  test(`ReceiveWindow: a stream ${over} bytes beyond its window, with credit left for its sender: ${over === 0 ? "taken" : "refused"}`, async () => {
    await inVirtualTime(async (room) => {
      const bob = await room.join("bob", { limits });
      const ends = endsAt(bob);
      const eve = await visitor(room, "eve");
      for (const [sequence, streamId] of ["a", "b"].entries()) {
        eve.open("bob", streamId, sequence, { extension: { format: "plain" } }); // two: they may go to 400,000 together
      }
      await room.time.advance(50);
      assert.is(told(eve), limits.senderWindow);
      const bytes = pattern(limits.receiveWindow + over);
      for (let at = 0, index = 0; at < bytes.length; at += 10_000, index++) {
        eve.chunk("bob", "a", index, bytes.subarray(at, at + 10_000));
      }
      await room.time.advance(50);
      assert.equal(ends, over === 0 ? [] : ["a refused"]);
    });
  });
}

test("ConnectionReceiveWindow: streams cancelled after the sender sent all, with some bytes lost, cost no credit", async () => {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob", { limits });
    const readers = collectReaders(bob.runtime);
    const eve = await visitor(room, "eve");
    const sent = 90_000;
    for (let i = 0; i < 10; i++) {
      eve.open("bob", `s-${i}`, i, { extension: { format: "plain" } });
      eve.chunk("bob", `s-${i}`, 0, pattern(15_000));
      eve.trailer("bob", `s-${i}`, { bytes: sent, chunks: 6, digest: "" });
      await room.time.advance(10);
      await readers[i]?.cancel();
      await room.time.advance(10);
    }
    eve.open("bob", "after", 10, { extension: { format: "plain" } });
    await room.time.advance(10);
    const used = 10 * (sent - 15_000); // first chunks are free
    assert.is(told(eve) - used, limits.receiveWindow);
  });
});

test("ConnectionReceiveWindow: credit of cancelled streams returns once the sender states how far it sent", async () => {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob", { limits });
    const readers = collectReaders(bob.runtime);
    const eve = await visitor(room, "eve");
    for (const [sequence, streamId] of ["a", "b"].entries()) {
      eve.open("bob", streamId, sequence, { extension: { format: "plain" } });
      for (let index = 0; index < 12; index++) eve.chunk("bob", streamId, index, pattern(15_000));
    }
    await room.time.advance(10);
    for (const reader of readers) await reader.cancel();
    await room.time.advance(10);
    eve.state("bob", { sending: [0, 1].map((sequence) => ({ sequence, final: 180_000, end: "cancelled" as const })) });
    await room.time.advance(10);
    const used = 2 * (180_000 - 15_000);
    assert.is(told(eve) - used, limits.receiveWindow);
  });
});

test("ConnectionReceiveWindow: a late packet of a sender's earlier instance ends no stream of the new one", async () => {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob", { limits });
    const ends = endsAt(bob);
    const eve = await visitor(room, "eve");
    eve.open("bob", "old", 0, { extension: { format: "plain" } });
    eve.open("bob", "new", 0, { extension: { format: "plain", instance: "second" } });
    await room.time.advance(10);
    assert.equal(ends, ["old disconnected"]);
    eve.state("bob", {});
    eve.hello("bob");
    eve.control({ kind: "goodbye", instance: eve.instance }, "bob");
    eve.open("bob", "late", 1, { extension: { format: "plain" } });
    await room.time.advance(10);
    assert.equal(ends, ["old disconnected"]);
  });
});

test.run();
