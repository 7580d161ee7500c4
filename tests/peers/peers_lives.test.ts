// Participants who vanish, freeze, return, say goodbye, or are replaced: open streams end with the right code.
import * as assert from "uvu/assert";
import type { ByteStreamReader, ByteStreamWriter, StreamErrorCode, TextStreamReader } from "../../mod.ts";
import { createHub, createRuntime } from "../../mod.ts";
import { collectReaders, TO_BOB } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { type HubFixture, inVirtualPair, inVirtualTime, type Member } from "../support/hub/hub_fixture.ts";

const test = suite("lives of peers");

interface MidStream {
  room: HubFixture;
  alice: Member;
  bob: Member;
  /** Alice's writer, in the middle of a stream to Bob. */
  writer: ByteStreamWriter;
  /** Bob's reader of that stream. */
  reader: ByteStreamReader;
  /** Result of the stream at Bob. */
  read: Promise<string | Uint8Array>;
  /** Alice's send that waits for Bob's receipt. */
  sending: Promise<unknown>;
}

/** A stream half sent, a send whose reader does not read, and bytes that were not read. */
async function midStream(body: (stage: MidStream) => Promise<void>): Promise<void> {
  await inVirtualPair(async (alice, bob, room) => {
    const readers = collectReaders(bob.runtime);
    const writer = await room.time.run(alice.runtime.streamBytes({ ...TO_BOB, confirm: true }));
    await room.time.run(writer.write(pattern(50_000)));
    await room.time.advance(20);
    const sending = alice.runtime.sendBytes(pattern(2_000_000), TO_BOB);
    sending.catch(() => {});
    await room.time.advance(20);
    const [reader] = readers;
    if (reader === undefined || readers.length !== 2) throw new Error("Two streams were expected");
    const read = reader.readAll().catch((error) => (error as { code: string }).code);
    await body({ room, alice, bob, writer, reader, read, sending });
  });
}

async function endsAtBoth(
  { room, writer, read, sending }: MidStream,
  sender: StreamErrorCode,
  receiver: StreamErrorCode,
): Promise<void> {
  await room.time.advance(20);
  await rejection(() => room.time.run(sending), sender);
  await rejection(() => room.time.run(writer.write(pattern(1))), sender);
  await rejection(() => room.time.run(writer.close()), sender);
  assert.is(writer.actor.getSnapshot().value, "failed");
  assert.is(await room.time.run(read), receiver);
}

test("peers: streams end when the receiver vanishes", async () => {
  await midStream(async (all) => {
    all.room.hub.vanish("bob");
    await endsAtBoth(all, "disconnected", "disconnected");
    await rejection(() => all.bob.runtime.sendText("x"), "disconnected");
  });
});

test("peers: streams end when the sender vanishes", async () => {
  await midStream(async (all) => {
    all.room.hub.vanish("alice");
    await endsAtBoth(all, "disconnected", "disconnected");
  });
});

test("peers: streams end when the receiver closes its runtime", async () => {
  await midStream(async (all) => {
    await all.room.time.run(all.bob.runtime.close());
    await endsAtBoth(all, "disconnected", "disconnected");
    await rejection(() => all.bob.runtime.sendText("x"), "closed");
  });
});

test("peers: writers are aborted when the sender closes its runtime", async () => {
  await midStream(async (all) => {
    await all.room.time.run(all.alice.runtime.close());
    await endsAtBoth(all, "aborted", "aborted");
    await rejection(() => all.alice.runtime.streamText(), "closed");
    await all.room.time.run(all.alice.runtime.close());
  });
});

test("peers: a participant that takes the receiver's name is a new one, and gets nothing of the old one's streams", async () => {
  await midStream(async (all) => {
    const again = all.room.raw("bob");
    await endsAtBoth(all, "disconnected", "disconnected");
    assert.is(again.packets.filter(({ packet }) => packet.type === "chunk").length, 0);
  });
});

test("peers: a participant that takes the sender's name ends the old one's streams, and its own work", async () => {
  await midStream(async (all) => {
    const again = await all.room.join("alice");
    await endsAtBoth(all, "disconnected", "disconnected");
    all.bob.runtime.unregisterByteStreamHandler("t");
    const read = new Promise<Uint8Array>((resolve, reject) => {
      all.bob.runtime.registerByteStreamHandler("t", (reader) => reader.readAll().then(resolve, reject));
    });
    await all.room.time.run(again.runtime.sendBytes(pattern(700_000), TO_BOB));
    assert.equal(await all.room.time.run(read), pattern(700_000));
  });
});

test("peers: a receiver that freezes for a while loses nothing", async () => {
  await midStream(async ({ room, alice, writer, read, reader, sending }) => {
    room.hub.freeze("bob");
    await room.time.run(writer.write(pattern(50_000, 2)));
    await room.time.advance(8_000);
    room.hub.thaw("bob");
    await room.time.advance(1);
    const closing = writer.close();
    const bytes = await room.time.run(read);
    await room.time.run(closing);
    assert.is(bytes.length, 100_000);
    assert.is(reader.actor.getSnapshot().value, "closed");
    assert.equal(alice.errors, []);
    await alice.runtime.close();
    await rejection(() => sending, "aborted");
  });
});

test("peers: a receiver that freezes too long is given up, and gives up itself when it thaws", async () => {
  await midStream(async (all) => {
    const { room, writer } = all;
    room.hub.freeze("bob");
    const writing = room.time.run(writer.write(pattern(3_000_000)), { limit: 120_000 });
    await rejection(() => writing, "timeout");
    room.hub.thaw("bob");
    await room.time.advance(1_000);
    assert.ok(["timeout", "aborted", "incomplete"].includes(String(await room.time.run(all.read))));
    await rejection(() => room.time.run(all.sending), "timeout");
  });
});

test("goodbye: streams end in both directions although the participant stays", async () => {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    const eve = room.raw("eve");
    eve.hello("alice");
    const readers: TextStreamReader[] = [];
    alice.runtime.registerTextStreamHandler("t", (reader) => void readers.push(reader));
    await room.time.advance(1);
    eve.open("alice", "s", 0, { kind: "text" });
    const writer = await room.time.run(alice.runtime.streamText({ topic: "t", destinationIdentities: ["eve"] }));
    await room.time.advance(1);
    eve.control({ kind: "goodbye", instance: "another" }, "alice");
    await room.time.advance(1);
    assert.is(writer.actor.getSnapshot().value, "open", "another's goodbye is not heeded");
    await room.time.run(writer.write("x"));
    eve.control({ kind: "goodbye", instance: eve.instance }, "alice");
    await room.time.advance(1);
    await rejection(() => writer.write("y"), "disconnected");
    await rejection(() => readers[0]?.readAll(), "disconnected");
    // The participant is still present: a new hello decides what it is.
    const sending = alice.runtime.sendText("plain again", { topic: "t", destinationIdentities: ["eve"] });
    await room.time.run(sending);
    assert.is(eve.headers.at(-1)?.sequence, undefined);
  });
});

test("peers: a stream that came whole before its sender left can still be read", async () => {
  for (const leave of ["vanish", "close", "again"] as const) {
    await inVirtualPair(async (alice, bob, room) => {
      const readers: TextStreamReader[] = [];
      bob.runtime.registerTextStreamHandler("t", (reader) => void readers.push(reader));
      await room.time.run(alice.runtime.sendText("whole", TO_BOB));
      await room.time.advance(1);
      if (leave === "vanish") room.hub.vanish("alice");
      else if (leave === "close") await room.time.run(alice.runtime.close());
      else await room.join("alice");
      await room.time.advance(60_000);
      assert.is(await room.time.run(readers[0]?.readAll() ?? Promise.reject(new Error("No reader"))), "whole");
    });
  }
});

test("broadcast: goes on when one receiver leaves, and ends well when all have", async () => {
  await inVirtualPair(async (alice, bob, room) => {
    const carol = await room.join("carol");
    const ends: string[] = [];
    for (const { runtime } of [bob, carol]) {
      runtime.registerTextStreamHandler("t", async (reader) => {
        await reader.readAll().then((text) => ends.push(text), (error) => ends.push((error as { code: string }).code));
      });
    }
    const writer = await room.time.run(alice.runtime.streamText({ topic: "t" }));
    await room.time.run(writer.write("one "));
    await room.time.advance(1);
    room.hub.vanish("bob");
    await room.time.run(writer.write("two "));
    await room.time.advance(1);
    room.hub.vanish("carol");
    await room.time.advance(1);
    await room.time.run(writer.write("three"));
    await room.time.run(writer.close());
    assert.equal(ends, ["disconnected", "disconnected"]);
  });
});

test("destinationIdentities: the stream goes on with the remaining receivers", async () => {
  await inVirtualPair(async (alice, bob, room) => {
    const carol = await room.join("carol");
    const texts: string[] = [];
    for (const { runtime } of [bob, carol]) {
      runtime.registerTextStreamHandler("t", async (reader) => void texts.push(await reader.readAll().catch(() => "failed")));
    }
    const to = { topic: "t", destinationIdentities: ["bob", "carol", "nobody"], confirm: true };
    const writer = await room.time.run(alice.runtime.streamText(to));
    await room.time.run(writer.write("a"));
    room.hub.vanish("bob");
    await room.time.run(writer.write("b"));
    await room.time.run(writer.close());
    await room.time.run(() => texts.length === 2);
    assert.equal(texts.sort(), ["ab", "failed"]);
    // A receiver that was absent has no receipt either.
    const receipts = (writer.info as { receipts?: { identity: string; error?: string }[] }).receipts;
    assert.equal(receipts?.map(({ identity, error }) => `${identity} ${error}`).sort(), [
      "bob disconnected",
      "carol undefined",
      "nobody disconnected",
    ]);
  });
});

test("runtime.close(): with everything open, in any order, leaves nothing behind", async () => {
  for (const order of [["alice", "bob"], ["bob", "alice"]]) {
    await inVirtualTime(async (room) => {
      const members = new Map<string, Member>();
      for (const name of ["alice", "bob", "carol"]) members.set(name, await room.join(name));
      const ends: Promise<unknown>[] = [];
      for (const { runtime } of members.values()) {
        runtime.registerTextStreamHandler("t", async (reader) => {
          for await (const _ of reader) await new Promise<void>((resolve) => void room.time.setTimeout(resolve, 1_000));
        });
        runtime.registerByteStreamHandler("t", () => {});
      }
      for (const { runtime } of members.values()) {
        ends.push(runtime.sendBytes(pattern(3_000_000), { topic: "t" }), runtime.sendText("x".repeat(3_000_000), { topic: "t" }));
        ends.push(
          runtime.streamText({ topic: "t" }).then((writer) => writer.write("y")),
          runtime.streamBytes({ topic: "nobody's" }),
        );
      }
      const settled = Promise.allSettled(ends);
      await room.time.advance(100);
      for (const name of order) {
        await room.time.run(members.get(name)?.runtime.close() ?? Promise.resolve());
        await room.time.advance(10);
      }
      await room.time.run(members.get("carol")?.runtime.close() ?? Promise.resolve());
      assert.is((await room.time.run(settled)).length, ends.length);
      await room.time.advance(1_000); // the handlers' own timers
    });
  }
});

test("runtime.close(): leaves no timers in the process", async () => {
  const hub = createHub();
  const alice = await createRuntime({ transport: hub.join("alice"), pool: false });
  const bob = await createRuntime({ transport: hub.join("bob"), pool: false });
  const heard = new Promise<string>((resolve, reject) => {
    bob.registerTextStreamHandler("t", (reader) => reader.readAll().then(resolve, reject));
  });
  await alice.sendText("hello", { topic: "t" });
  assert.is(await heard, "hello");
  await alice.streamText({ topic: "t" }); // left open
  await alice.close();
  await bob.close();
  // The rest of the test is that the file's process ends by itself.
});

test("hello: a runtime that says hello only after a broadcast began gets the whole", async () => {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    await room.join("bob");
    const eve = room.raw("eve");
    const sending = alice.runtime.sendText("to all", { topic: "t", streamId: "s" });
    await room.time.run(sending); // after 300 ms: eve has not said what she is
    const sequence = eve.headers[0]?.sequence ?? -1;
    assert.is(sequence, 0);
    eve.hello("alice");
    await room.time.advance(1);
    eve.state("alice", { receiving: [{ sequence, claim: "claimed", credit: 1_000_000, received: 6, taken: 6 }] });
    await room.time.advance(1);
    assert.equal(eve.statesFrom("alice").flatMap(({ sending }) => sending), [{ sequence, final: 6 }]);
  });
});

test.run();
