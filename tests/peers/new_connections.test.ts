// Participants whose transport has a new connection, of which nobody has told the others: the new life ends the streams of the old one.
import * as assert from "uvu/assert";
import type { ByteStreamReader } from "../../mod.ts";
import type { TransportEvents } from "../../transports/transport.ts";
import { pattern } from "../support/bytes.ts";
import { collectReaders, collectTexts, nextText, TO_BOB } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { altered } from "../support/hub/altered_transport.ts";
import { type HubFixture, inVirtualTime, type Member } from "../support/hub/hub_fixture.ts";
import { rejection } from "../support/rejections.ts";

const test = suite("new connections");

interface Stage {
  room: HubFixture;
  alice: Member;
  bob: Member;
  /** Tells Alice's runtime that its connection is a new one. */
  renew: () => void;
}

async function withRenewable(body: (stage: Stage) => Promise<void>): Promise<void> {
  await inVirtualTime(async (room) => {
    let events: TransportEvents | undefined;
    const transport = altered(room.hub.join("alice"), (inner) => ({
      open: (given) => {
        events = given;
        inner.open(given);
      },
    }));
    const alice = await room.join("alice", { transport });
    const bob = await room.join("bob");
    await body({ room, alice, bob, renew: () => events?.renewed?.() });
  });
}

test("renewed: streams in both directions end at once at both ends", () =>
  withRenewable(async ({ room, alice, bob, renew }) => {
    const readers = { alice: collectReaders(alice.runtime), bob: collectReaders(bob.runtime) };
    const toAlice = { ...TO_BOB, destinationIdentities: ["alice"] };
    const writers = [
      await room.time.run(alice.runtime.streamBytes(TO_BOB)),
      await room.time.run(bob.runtime.streamBytes(toAlice)),
    ];
    for (const writer of writers) await room.time.run(writer.write(pattern(50_000)));
    await room.time.advance(20);
    const reads = [readers.alice, readers.bob].map(([reader]) => (reader as ByteStreamReader).readAll());
    for (const read of reads) read.catch(() => {});
    renew();
    await room.time.advance(20);
    for (const read of reads) await rejection(() => room.time.run(read), "disconnected");
    for (const writer of writers) await rejection(() => room.time.run(writer.write(pattern(1))), "disconnected");
    assert.is(alice.runtime.stats().open.length + bob.runtime.stats().open.length, 0);
  }));

test("renewed: new streams arrive whole, time after time", () =>
  withRenewable(async ({ room, alice, bob, renew }) => {
    for (let life = 0; life < 3; life++) {
      for (const [from, to] of [[alice, bob], [bob, alice]] as const) {
        const read = new Promise<Uint8Array>((resolve, reject) => {
          to.runtime.registerByteStreamHandler("t", (reader) => reader.readAll().then(resolve, reject));
        });
        const destinationIdentities = [to.runtime.identity];
        const { receipts } = await room.time.run(
          from.runtime.sendBytes(pattern(300_000), { topic: "t", destinationIdentities, confirm: true }),
        );
        assert.equal(receipts, [{ identity: to.runtime.identity, bytes: 300_000 }]);
        assert.equal(await room.time.run(read), pattern(300_000));
        to.runtime.unregisterByteStreamHandler("t");
      }
      renew();
    }
  }));

test("renewed: a send that waits for its receiver goes on, to the new life", () =>
  withRenewable(async ({ room, alice, bob, renew }) => {
    const texts = collectTexts(bob.runtime, "t");
    room.hub.freeze("bob");
    const eve = room.raw("eve"); // says nothing: whoever sends to her waits for her hello
    const sending = alice.runtime.sendText("hello", { topic: "t", destinationIdentities: ["bob", "eve"] });
    await room.time.advance(10);
    renew();
    room.hub.thaw("bob");
    await room.time.run(sending);
    await room.time.advance(10);
    assert.equal(texts, ["hello"]);
    assert.is(eve.headers.length, 1);
  }));

test("renewed: streams from and to another SDK end here", () =>
  withRenewable(async ({ room, alice, renew }) => {
    const eve = room.raw("eve");
    const offered = nextText(alice.runtime, "t");
    await room.time.advance(400);
    eve.open("alice", "s", 0, { topic: "t", kind: "text", extension: false });
    const writer = await room.time.run(alice.runtime.streamText({ topic: "t", destinationIdentities: ["eve"] }));
    await room.time.advance(1);
    const reading = room.time.run(offered).then((reader) => reader.readAll());
    reading.catch(() => {});
    renew();
    await rejection(() => room.time.run(reading), "disconnected");
    await rejection(() => room.time.run(writer.write("x")), "disconnected");
  }));

test.run();
