// Forged packets of any kind break their sender's own streams only.
import * as assert from "uvu/assert";
import { decodeMsgpack, encodeMsgpack } from "../../protocol/wire/msgpack.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { collectReaders, last } from "../support/handlers.ts";
import { withHostilePeer } from "../support/hub/hostile_peer.ts";
import { inVirtualPair, inVirtualTime } from "../support/hub/hub_fixture.ts";
import { digestOf, frame } from "../support/hub/raw_participant.ts";

const test = suite("forged packets");

test("ReceiveBuffer: orders late and repeated chunks; a different repeat is corrupt", async () => {
  await withHostilePeer(async ({ room, hostilePeer, readers }) => {
    const parts = [pattern(10, 1), pattern(20, 2), pattern(30, 3)] as const;
    hostilePeer.open("bob", "a", 0);
    for (const index of [2, 0, 0, 2, 1, 1, 0] as const) hostilePeer.chunk("bob", "a", index, parts[index]);
    hostilePeer.trailer("bob", "a", { bytes: 60, chunks: 3, digest: digestOf(...parts) });
    await room.time.advance(1);
    assert.is((await room.time.run(last(readers).readAll())).length, 60);
    for (const [id, indices] of [["b", [0, 0]], ["c", [1, 1]]] as const) {
      hostilePeer.open("bob", id, id === "b" ? 1 : 2);
      indices.forEach((index, i) => hostilePeer.chunk("bob", id, index, pattern(10, i)));
      await room.time.advance(1);
      await rejection(() => last(readers).readAll(), "corrupt");
    }
  });
});

test("IncomingStream: a gap is incomplete a second after the trailer, or when the sender falls silent", async () => {
  await withHostilePeer(async ({ room, hostilePeer, readers }) => {
    hostilePeer.open("bob", "a", 0);
    hostilePeer.chunk("bob", "a", 1, pattern(10));
    hostilePeer.trailer("bob", "a", { bytes: 20, chunks: 2, digest: "" });
    await room.time.advance(500);
    assert.is(last(readers).actor.getSnapshot().value, "receiving");
    await room.time.advance(501);
    await rejection(() => last(readers).readAll(), "incomplete");
    hostilePeer.open("bob", "c", 2);
    hostilePeer.chunk("bob", "c", 1, pattern(10));
    hostilePeer.trailer("bob", "c", { bytes: 20, chunks: 2, digest: "", code: "aborted" });
    await room.time.advance(1_001);
    await rejection(() => last(readers).readAll(), "aborted"); // the sender's own word on it counts for more
    hostilePeer.open("bob", "b", 1);
    hostilePeer.chunk("bob", "b", 1, pattern(10));
    await room.time.advance(31_000);
    await rejection(() => last(readers).readAll(), "incomplete");
  });
});

test("IncomingStream: a plain sender's stream with a gap is incomplete, with or without a known size", async () => {
  await withHostilePeer(async ({ room, hostilePeer, readers }) => {
    for (const [id, opening] of [["a", {}], ["b", { size: 30 }]] as const) {
      hostilePeer.open("bob", id, 0, { ...opening, extension: false });
      hostilePeer.chunk("bob", id, 0, pattern(10));
      hostilePeer.chunk("bob", id, 2, pattern(10));
      hostilePeer.trailer("bob", id, undefined);
      await room.time.advance(2_000);
      await rejection(() => last(readers).readAll(), "incomplete");
    }
  });
});

test("IncomingStreamManager: a stream of another participant cannot be written to, ended or cancelled", async () => {
  await withHostilePeer(async ({ room, bob, hostilePeer, readers }) => {
    const alice = await room.join("alice");
    const carol = await room.join("carol");
    const writer = await room.time.run(
      alice.runtime.streamBytes({ topic: "t", streamId: "s", destinationIdentities: ["bob"], confirm: true }),
    );
    await room.time.run(writer.write(pattern(20_000)));
    await room.time.advance(20);
    hostilePeer.hello("alice");
    hostilePeer.hello("carol");
    await room.time.advance(1);
    hostilePeer.chunk("bob", "s", 2, pattern(10));
    hostilePeer.trailer("bob", "s", { bytes: 20_000, chunks: 2, digest: "" });
    hostilePeer.state("bob", { sending: [{ sequence: 0, final: 0, end: "aborted" }] });
    for (const end of ["cancelled", "done", "refused"] as const) {
      hostilePeer.state("alice", {
        receiving: [{ sequence: 0, claim: "claimed", credit: 2 ** 40, received: 20_000, taken: 20_000, end }],
      });
    }
    hostilePeer.control({ kind: "goodbye", instance: hostilePeer.instances.get("alice") ?? "" }, "bob");
    hostilePeer.control({ kind: "goodbye", instance: hostilePeer.instances.get("bob") ?? "" }, "alice");
    await room.time.advance(1);
    await room.time.run(writer.write(pattern(20_000, 2)));
    const closing = writer.close();
    closing.catch(() => {});
    const bytes = await room.time.run(last(readers).readAll());
    await room.time.run(closing);
    assert.is(bytes.length, 40_000);
    assert.equal(writer.info.receipts, [{ identity: "bob", bytes: 40_000 }]);
    assert.equal([...bob.errors, ...alice.errors, ...carol.errors], []);
  });
});

test("IncomingStreamManager: a repeated header opens nothing, even after its stream has ended", async () => {
  await withHostilePeer(async ({ room, hostilePeer, readers }) => {
    for (let i = 0; i < 3; i++) {
      hostilePeer.open("bob", "a", 0);
      hostilePeer.chunk("bob", "a", 0, pattern(5));
      hostilePeer.trailer("bob", "a", { bytes: 5, chunks: 1, digest: digestOf(pattern(5)) });
      await room.time.advance(1);
      if (i === 0) await room.time.run(last(readers).readAll());
    }
    assert.is(readers.length, 1);
  });
});

test("IncomingStreamManager: a sender's new instance with equal numbers is separate from unread streams of the old one", async () => {
  await withHostilePeer(async ({ room, bob, hostilePeer, readers }) => {
    hostilePeer.open("bob", "old", 0);
    hostilePeer.chunk("bob", "old", 0, pattern(5));
    hostilePeer.trailer("bob", "old", { bytes: 5, chunks: 1, digest: digestOf(pattern(5)) });
    await room.time.advance(1);
    hostilePeer.open("bob", "new", 0, { extension: { instance: "another" } });
    await room.time.advance(1);
    const [old, young] = readers;
    assert.is((await room.time.run(old?.readAll() as Promise<Uint8Array>)).length, 5);
    for (let i = 0; i < 5; i++) {
      await room.time.advance(20_000);
      hostilePeer.control({
        kind: "state",
        instance: "another",
        about: hostilePeer.instances.get("bob") ?? "",
        credit: 0,
        receiving: [],
        sending: [{ sequence: 0 }],
      }, "bob");
    }
    await room.time.advance(1);
    assert.is(young?.actor.getSnapshot().value, "receiving", "its signs of life count");
    assert.equal(bob.errors, []);
  });
});

test("streamsPerSender: inline streams under one id, unread, count against the limit", async () => {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob", { limits: { streamsPerSender: 3 } });
    const hostilePeer = room.raw("eve");
    const readers = collectReaders(bob.runtime);
    for (let life = 0; life < 3; life++) {
      for (let i = 0; i < 3; i++) {
        hostilePeer.open("bob", "same", i, { extension: { instance: `life ${life}` } });
        hostilePeer.trailer("bob", "same", { bytes: 0, chunks: 0, digest: digestOf() });
      }
    }
    await room.time.advance(1);
    assert.is(readers.length, 3);
    assert.is(bob.errors.length, 6);
  });
});

test("ReceiveWindow: data beyond credit is refused, in chunks, in frames, and behind a gap", async () => {
  await withHostilePeer(async ({ room, bob, hostilePeer, readers }) => {
    hostilePeer.open("bob", "a", 0);
    for (let i = 0; i < 80; i++) hostilePeer.chunk("bob", "a", i, pattern(15_000));
    hostilePeer.open("bob", "b", 1);
    for (let i = 1; i < 80; i++) hostilePeer.chunk("bob", "b", i, pattern(15_000));
    hostilePeer.open("bob", "c", 2, { extension: { format: "framed" } });
    for (let i = 0; i < 80; i++) hostilePeer.chunk("bob", "c", i, frame(15_000 * i, pattern(15_000)));
    await room.time.advance(1);
    assert.is(readers.length, 3);
    for (const reader of readers) await rejection(() => reader.readAll(), "refused");
    assert.equal(bob.codec.segments.inUse, 0);
  });
});

test("ReceiveBuffer: chunks after the trailer's last, and a trailer with fewer than came, are corrupt", async () => {
  await withHostilePeer(async ({ room, hostilePeer, readers }) => {
    hostilePeer.open("bob", "a", 0);
    hostilePeer.chunk("bob", "a", 0, pattern(5));
    hostilePeer.trailer("bob", "a", { bytes: 10, chunks: 2, digest: "" });
    hostilePeer.chunk("bob", "a", 2, pattern(5));
    await room.time.advance(1);
    await rejection(() => last(readers).readAll(), "corrupt");
    hostilePeer.open("bob", "b", 1);
    hostilePeer.chunk("bob", "b", 0, pattern(5));
    hostilePeer.chunk("bob", "b", 1, pattern(5));
    hostilePeer.trailer("bob", "b", { bytes: 5, chunks: 1, digest: digestOf(pattern(5)) });
    await room.time.advance(1);
    await rejection(() => last(readers).readAll(), "corrupt");
    hostilePeer.open("bob", "c", 2);
    hostilePeer.chunk("bob", "c", 0, pattern(5));
    hostilePeer.trailer("bob", "c", { bytes: 5, chunks: 1, digest: digestOf(pattern(6)) });
    await room.time.advance(1);
    await rejection(() => last(readers).readAll(), "corrupt");
  });
});

test("ConnectionSendWindow: absurd credit harms only the receiver that grants it", async () => {
  await inVirtualPair(async (alice, bob, room) => {
    const hostilePeer = room.raw("eve");
    hostilePeer.hello("alice");
    await room.time.advance(1);
    bob.runtime.registerByteStreamHandler("t", async (reader) => void await reader.readAll());
    const to = { topic: "t", destinationIdentities: ["bob", "eve"] };
    const sending = alice.runtime.sendBytes(pattern(3_000_000), to);
    sending.catch(() => {});
    await room.time.advance(1);
    const sequence = hostilePeer.headers[0]?.sequence ?? -1;
    assert.is(sequence, 0);
    for (const credit of [2 ** 53 - 1, -5, NaN, Infinity, 1.5]) {
      const row = { claim: "claimed", credit, received: 0, taken: 0 } as const;
      hostilePeer.state("alice", {
        receiving: [{ sequence, ...row }, { sequence: 77, ...row }, { sequence: -1, ...row }],
        credit,
      });
    }
    hostilePeer.state("alice", {
      receiving: [{ sequence, claim: "claimed", credit: 0, received: 2 ** 50, taken: 2 ** 50, end: "done" }],
    });
    const info = await room.time.run(sending);
    assert.equal(info.receipts?.map(({ identity, error }) => [identity, error]), [["bob", undefined], ["eve", "timeout"]]);
  });
});

test("Peers: hellos with impossible windows and times do not keep a sender busy", async () => {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    const hostilePeer = room.raw("eve");
    hostilePeer.hello("alice", { streamWindow: 0, credit: 0, idleTimeout: 0 });
    await room.time.advance(1);
    const writer = await room.time.run(alice.runtime.streamBytes({ topic: "t", destinationIdentities: ["eve"] }));
    const before = hostilePeer.packets.length;
    await room.time.run(writer.write(pattern(100_000)));
    await room.time.advance(1_000);
    assert.ok(hostilePeer.packets.length - before < 200, `${hostilePeer.packets.length - before} packets in a second`);
    await writer.abort();
  });
});

test("OutgoingStream: receipts and cancels from others than a destination's present instance do not count", async () => {
  await withHostilePeer(async ({ room, hostilePeer }) => {
    const alice = await room.join("alice");
    const bystander = room.raw("bystander");
    bystander.hello("alice");
    hostilePeer.hello("alice");
    await room.time.advance(1);
    const to = { topic: "t", destinationIdentities: ["eve"], confirm: true };
    const sending = alice.runtime.sendBytes(pattern(100), to);
    sending.catch(() => {});
    await room.time.advance(20);
    const digest = digestOf(pattern(100));
    const done = { sequence: 0, claim: "claimed", credit: 1_000_000, received: 100, taken: 100, end: "done", digest } as const;
    bystander.state("alice", { receiving: [done, { ...done, end: "cancelled" }] });
    hostilePeer.control({
      kind: "state",
      instance: hostilePeer.instance,
      about: "an old life",
      credit: 0,
      receiving: [{ ...done, end: "cancelled" }],
      sending: [],
    }, "alice");
    await room.time.advance(10);
    hostilePeer.state("alice", { receiving: [done] });
    assert.equal((await room.time.run(sending)).receipts, [{ identity: "eve", bytes: 100 }]);
  });
});

test('OutgoingStream: a "done" receipt for other bytes is corrupt', async () => {
  await withHostilePeer(async ({ room, hostilePeer }) => {
    const alice = await room.join("alice");
    hostilePeer.hello("alice");
    await room.time.advance(1);
    const sending = alice.runtime.sendBytes(pattern(100), { topic: "t", destinationIdentities: ["eve"] });
    sending.catch(() => {});
    await room.time.advance(20);
    hostilePeer.state("alice", {
      receiving: [{
        sequence: 0,
        claim: "claimed",
        credit: 1_000_000,
        received: 100,
        taken: 100,
        end: "done",
        digest: digestOf(pattern(1)),
      }],
    });
    await rejection(() => room.time.run(sending), "corrupt");
  });
});

test("decodeControl: msgpack extensions, and wrong lengths and depths, are no messages", async () => {
  const extensions = [0x65, 0x69, 0x70, 0x73, 0x74, 0x78].flatMap((type) => [
    [0xd4, type, 0],
    [0xd5, type, 0, 0],
    [0xd6, type, 0, 0, 0, 0],
    [0xc7, 2, type, 0x91, 0xa1],
    [0xc8, 0, 2, type, 0x91, 0xa1],
    [0xc9, 0, 0, 0, 2, type, 0x91, 0xa1],
  ]);
  const others = [[0xc1], [0xdd, 0xff, 0xff, 0xff, 0xff], [0xdf, 0x7f, 0xff, 0xff, 0xff], [0xc6, 0xff, 0xff, 0xff, 0xff], [
    0xdb,
    0xff,
    0xff,
    0xff,
    0xff,
  ]];
  const truncated = Array.from(encodeMsgpack({ k: "hello", i: "x", a: [1, 2, 3] }));
  for (
    const bytes of [
      ...extensions,
      ...others,
      Array.from({ length: 10_000 }, () => 0x91),
      ...truncated.map((_, i) => truncated.slice(0, i)),
    ]
  ) {
    assert.is(decodeMsgpack(Uint8Array.from(bytes)), undefined, String(bytes.slice(0, 8)));
    assert.is(decodeMsgpack(Uint8Array.from([0x81, 0xa1, 0x6b, ...bytes])), undefined);
  }
  await withHostilePeer(async ({ room, bob, hostilePeer, readers }) => {
    for (const bytes of [...extensions, ...others]) {
      hostilePeer.send({ type: "control", payload: Uint8Array.from([0x81, 0xa1, 0x6b, ...bytes]) }, "bob");
    }
    hostilePeer.open("bob", "a", 0, { size: 3 });
    hostilePeer.chunk("bob", "a", 0, pattern(3));
    hostilePeer.trailer("bob", "a", { bytes: 3, chunks: 1, digest: digestOf(pattern(3)) });
    await room.time.advance(1);
    assert.is((await room.time.run(last(readers).readAll())).length, 3);
    assert.equal(bob.errors, []);
  });
});

test.run();
