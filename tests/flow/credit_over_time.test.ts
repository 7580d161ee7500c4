// Credit of streams returns, however they end, and is never created.
import * as assert from "uvu/assert";
import type { ByteStreamReader } from "../../mod.ts";
import type { LinkOptions } from "../../transports/hub/link_options.ts";
import { collectReaders } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { type HubFixture, inVirtualTime, type Member } from "../support/hub/hub_fixture.ts";
import type { RawParticipant } from "../support/hub/raw_participant.ts";
import { incomingOf } from "../support/hub/incoming_of.ts";

const test = suite("credit over time");

const limits = { receiveWindow: 100_000, senderWindow: 200_000, totalWindow: 400_000 };
const to = { topic: "t", destinationIdentities: ["bob"] };
const LINES: Readonly<Record<string, LinkOptions | undefined>> = {
  "a direct hub": undefined,
  "a line of 20 ms": { kind: "reliable", delay: 20, rate: 2_000_000 },
};

/** A stream of many windows, read at once: it needs all of the initial credit. */
async function atFullSpeed(room: HubFixture, alice: Member, bytes = 1_000_000): Promise<void> {
  const begun = room.time.now();
  await room.time.run(alice.runtime.sendBytes(pattern(bytes), { ...to, topic: "read" }));
  assert.ok(room.time.now() - begun < 8_000, `it took ${room.time.now() - begun} ms`);
}

/** Ways in which Bob and Alice end the streams of topic "t". */
const ENDS: Readonly<Record<string, (room: HubFixture, alice: Member, readers: ByteStreamReader[]) => Promise<void>>> = {
  "cancelled by its receiver": async (room, alice, readers) => {
    const sending = alice.runtime.sendBytes(pattern(500_000), to).catch(() => {});
    await room.time.advance(200);
    await readers.at(-1)?.cancel();
    await room.time.run(sending);
  },
  "aborted by its sender": async (room, alice) => {
    const controller = new AbortController();
    const sending = alice.runtime.sendBytes(pattern(500_000), { ...to, signal: controller.signal }).catch(() => {});
    await room.time.advance(200);
    controller.abort();
    await room.time.run(sending);
    await room.time.advance(61_000); // what came of it is kept for an idle time-out
  },
  "ended by both at once": async (room, alice, readers) => {
    const controller = new AbortController();
    const sending = alice.runtime.sendBytes(pattern(500_000), { ...to, signal: controller.signal }).catch(() => {});
    await room.time.advance(200);
    controller.abort();
    void readers.at(-1)?.cancel();
    await room.time.run(sending);
  },
  "cancelled before its first byte is read, a text": async (room, alice) => {
    await room.time.run(alice.runtime.sendText("x".repeat(150_000), { ...to, topic: "cancel", confirm: true }).catch(() => {}));
  },
};

for (const [line, link] of Object.entries(LINES)) {
  for (const [how, end] of Object.entries(ENDS)) {
    test(`credit: after 12 streams ${how}, on ${line}, another stream has full speed`, async () => {
      await inVirtualTime(async (room) => {
        const alice = await room.join("alice");
        const bob = await room.join("bob", { limits });
        await room.time.advance(1_000);
        const readers = collectReaders(bob.runtime);
        bob.runtime.registerTextStreamHandler("cancel", async (reader) => await reader.cancel());
        bob.runtime.registerByteStreamHandler("read", async (reader) => void await reader.readAll());
        for (let i = 0; i < 12; i++) await end(room, alice, readers);
        await room.time.advance(1_000);
        await atFullSpeed(room, alice);
      }, link === undefined ? {} : { link });
    });
  }

  test(`credit: a sender who leaves 12 times with unread streams, on ${line}, and returns, has full speed`, async () => {
    await inVirtualTime(async (room) => {
      const bob = await room.join("bob", { limits });
      bob.runtime.registerByteStreamHandler("t", () => {});
      bob.runtime.registerByteStreamHandler("read", async (reader) => void await reader.readAll());
      for (let i = 0; i < 12; i++) {
        const alice = await room.join("alice");
        await room.time.advance(500);
        alice.runtime.sendBytes(pattern(500_000), to).catch(() => {});
        await room.time.advance(500);
        room.hub.vanish("alice");
        await room.time.advance(500);
      }
      const alice = await room.join("alice");
      const carol = await room.join("carol");
      await room.time.advance(500);
      await Promise.all([atFullSpeed(room, alice), atFullSpeed(room, carol)]);
    }, link === undefined ? {} : { link });
  });
}

test("credit: streams sent whole return their credit as their reader cancels them, without other traffic", async () => {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    const bob = await room.join("bob", { limits: { ...limits, senderWindow: limits.receiveWindow } });
    await room.time.advance(1_000);
    const readers = collectReaders(bob.runtime);
    bob.runtime.registerByteStreamHandler("read", async (reader) => void await reader.readAll());
    for (let i = 0; i < 2; i++) await room.time.run(alice.runtime.sendBytes(pattern(65_000), { ...to, confirm: false }));
    let isSent = false;
    const sending = alice.runtime.sendBytes(pattern(90_000), { ...to, topic: "read" }).then(() => void (isSent = true));
    await room.time.advance(1_000);
    assert.is(isSent, false, "it waits for credit that the other two hold");
    for (const reader of readers) await reader.cancel();
    await room.time.run(sending, { limit: 100 });
  });
});

test("credit: a slow reader's progress is reported within a second, and its sender sees that", async () => {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob");
    let take: () => Promise<unknown> = () => Promise.reject(new Error("No reader"));
    bob.runtime.registerByteStreamHandler("t", (reader) => {
      const values = reader[Symbol.asyncIterator]();
      take = () => values.next();
    });
    const eve = room.raw("eve");
    eve.hello("bob");
    await room.time.advance(1);
    eve.open("bob", "s", 0);
    const taken: number[] = [];
    for (let index = 0; index < 5; index++) {
      eve.chunk("bob", "s", index, new Uint8Array(100));
      await room.time.advance(1);
      await take();
      await room.time.advance(499);
      taken.push(eve.statesFrom("bob").findLast(({ receiving }) => receiving.length > 0)?.receiving[0]?.taken ?? NaN);
    }
    assert.equal(taken, [0, 0, 300, 300, 500]);
  });
});

/** Sends chunks of a plain stream up to the limit, and beyond. */
function pour(eve: RawParticipant, streamId: string, sequence: number, bytes: number): void {
  eve.open("bob", streamId, sequence, { extension: { format: "plain" } });
  for (let at = 0, index = 0; at < bytes; at += 15_000, index++) {
    eve.chunk("bob", streamId, index, new Uint8Array(Math.min(15_000, bytes - at)));
  }
}

const FINALS = [0, 1, 89_999, 1_000_000, 2 ** 40, Number.MAX_SAFE_INTEGER];

for (const final of FINALS) {
  test(`credit: a sender who claims ${final} bytes for ended streams gains no credit, and costs others none`, async () => {
    await inVirtualTime(async (room) => {
      const bob = await room.join("bob", { limits });
      const readers = collectReaders(bob.runtime);
      bob.runtime.registerByteStreamHandler("read", async (reader) => void await reader.readAll());
      const eve = room.raw("eve");
      eve.hello("bob");
      await room.time.advance(1);
      for (let i = 0; i < 20; i++) {
        pour(eve, `gone-${i}`, i, 90_000);
        await room.time.advance(1);
        await readers.at(-1)?.cancel();
        for (let again = 0; again < 3; again++) eve.state("bob", { sending: [{ sequence: i, final, end: "aborted" }] });
        await room.time.advance(1);
      }
      readers.length = 0;
      for (let i = 20; i < 60; i++) pour(eve, `kept-${i}`, i, 90_000);
      await room.time.advance(1);
      const held = readers.reduce((sum, reader) => sum + heldBy(bob, reader), 0);
      assert.ok(held <= limits.senderWindow + 40 * 15_000, `${held} bytes are held`);
      const alice = await room.join("alice");
      await atFullSpeed(room, alice);
    });
  });
}

/** Waiting bytes of a reader's stream, by its actor's context. */
function heldBy(_bob: Member, reader: ByteStreamReader): number {
  return reader.actor.getSnapshot().value === "receiving" ? incomingOf(reader).content.held : 0;
}

test.run();
