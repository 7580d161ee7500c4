import * as assert from "uvu/assert";
import type { ByteStreamReader, Runtime } from "../../mod.ts";
import { createRuntime, DEFAULT_LIMITS, type Limits, type StreamErrorCode } from "../../mod.ts";
import { createHub } from "../../transports/hub/hub.ts";
import { collectReaders } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { type HubFixture, inVirtualTime, type Member } from "../support/hub/hub_fixture.ts";
import { incomingOf } from "../support/hub/incoming_of.ts";

const test = suite("limits");

interface Pair {
  room: HubFixture;
  alice: Member;
  bob: Member;
}

/** Alice sends; Bob has the limits. */
async function withLimits(limits: Partial<Limits>, body: (pair: Pair) => Promise<void>): Promise<void> {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob", { limits });
    const alice = await room.join("alice");
    await body({ room, alice, bob });
  });
}

/** Number of running handlers. A receipt means that all was taken, not that a handler has made one array of it. */
const readingFor = new WeakMap<Member, number>();

/** Reads the streams of topic "t". Gives the end of each. */
function readAll({ bob }: Pair): (string | number)[] {
  const ends: (string | number)[] = [];
  readingFor.set(bob, 0);
  bob.runtime.registerByteStreamHandler("t", async (reader) => {
    readingFor.set(bob, (readingFor.get(bob) ?? 0) + 1);
    try {
      ends.push((await reader.readAll()).length);
    } catch (error) {
      ends.push((error as { code: string }).code);
      throw error;
    } finally {
      readingFor.set(bob, (readingFor.get(bob) ?? 0) - 1);
    }
  });
  return ends;
}

async function send({ room, alice, bob }: Pair, bytes: number, more: object = {}): Promise<void> {
  await room.time.run(alice.runtime.sendBytes(pattern(bytes), { topic: "t", destinationIdentities: ["bob"], ...more }));
  await room.time.run(() => (readingFor.get(bob) ?? 0) === 0);
}

test("streamBytes: the limit passes, one byte more is too-large at both ends, announced or not", async () => {
  await withLimits({ streamBytes: 40_000 }, async (pair) => {
    const ends = readAll(pair);
    await send(pair, 40_000);
    await rejection(() => send(pair, 40_001), "too-large");
    const writer = await pair.room.time.run(pair.alice.runtime.streamBytes({ topic: "t", destinationIdentities: ["bob"] }));
    await rejection(async () => {
      await writer.write(pattern(40_001));
      await pair.room.time.run(writer.close());
      await pair.room.time.advance(0);
      await writer.write(pattern(1));
    }, "too-large").catch(() => {});
    await pair.room.time.advance(100);
    assert.equal(ends, [40_000, "too-large"], "the announced one never reaches a handler");
    await send(pair, 1);
    assert.is(ends.at(-1), 1);
  });
});

test("readAllBytes: the limit passes, one byte more is too-large at both ends", async () => {
  await withLimits({ readAllBytes: 40_000 }, async (pair) => {
    const ends = readAll(pair);
    await send(pair, 40_000);
    await rejection(() => send(pair, 40_001), "too-large");
    await send(pair, 39_999);
    assert.equal(ends, [40_000, "too-large", 39_999]);
  });
});

test("streamsPerSender: a stream beyond that waits, another sender's does not, and an end makes room", async () => {
  await withLimits({ streamsPerSender: 2 }, async (pair) => {
    const { room, alice, bob } = pair;
    const carol = await room.join("carol");
    const readers = collectReaders(bob.runtime);
    const open = (from: Member): ReturnType<Runtime["streamBytes"]> =>
      room.time.run(from.runtime.streamBytes({ topic: "t", destinationIdentities: ["bob"] }));
    await open(alice);
    const second = await open(alice);
    let opened = false;
    const third = alice.runtime.streamBytes({ topic: "t", destinationIdentities: ["bob"] });
    third.then(() => (opened = true)).catch(() => {});
    await room.time.advance(1);
    assert.is(opened, false);
    await open(carol);
    await room.time.advance(1);
    assert.is(readers.length, 3);
    await second.abort();
    await room.time.advance(1);
    await rejection(() => readers[1]?.readAll(), "aborted");
    await room.time.advance(1);
    assert.is(opened, true);
    assert.is(readers.length, 4);
    assert.equal(bob.errors, []);
    await (await third).abort();
  });
});

test("streams: one beyond that waits, whoever sends", async () => {
  await withLimits({ streams: 1 }, async ({ room, alice, bob }) => {
    const carol = await room.join("carol");
    const readers = collectReaders(bob.runtime);
    const to = { topic: "t", destinationIdentities: ["bob"] };
    const first = await room.time.run(alice.runtime.streamBytes(to));
    const second = carol.runtime.sendBytes(pattern(10), { ...to, confirm: false });
    await room.time.advance(1_000);
    assert.is(readers.length, 1);
    await first.abort();
    await room.time.advance(1);
    await rejection(() => readers[0]?.readAll(), "aborted");
    await room.time.run(second);
    await room.time.advance(1);
    assert.is(readers.length, 2);
  });
});

test("streams: senders that ignore the limit are refused beyond it, each with less than a sender may have", async () => {
  await withLimits({ streams: 3, streamsPerSender: 2 }, async ({ room, bob }) => {
    const readers = collectReaders(bob.runtime);
    for (const [sender, extension] of [["eve", {}], ["mallory", {}], ["plain", false]] as const) {
      const stranger = room.raw(sender);
      if (extension !== false) stranger.hello("bob");
      await room.time.advance(1);
      for (let i = 0; i < 2; i++) stranger.open("bob", `${sender}-${i}`, i, { extension });
      await room.time.advance(1);
    }
    assert.is(readers.length, 3);
    assert.equal(bob.errors.map(({ code }) => code), ["refused", "refused", "refused"]);
  });
});

const NAMES: [limit: "attributes" | "attributeBytes" | "nameBytes", most: number, passing: object, over: object][] = [
  ["attributes", 2, { attributes: { a: "1", b: "2" } }, { attributes: { a: "1", b: "2", c: "3" } }],
  ["attributeBytes", 6, { attributes: { a: "é", b: "22" } }, { attributes: { a: "é", b: "222" } }],
  ["nameBytes", 4, { name: "éé" }, { name: "éé." }],
];
for (const [limit, most, passing, over] of NAMES) {
  test(`${limit}: the limit passes; beyond it is invalid at the sender, and refused by the receiver`, async () => {
    const to = { topic: "t", destinationIdentities: ["bob"] };
    await withLimits({ [limit]: most }, async (pair) => {
      const ends = readAll(pair);
      await send(pair, 1, passing);
      await rejection(() => pair.room.time.run(pair.alice.runtime.sendBytes(pattern(1), { ...to, ...over })), "refused");
      assert.equal(ends, [1]);
      assert.equal(pair.bob.errors.map(({ code }) => code), ["refused"]);
    });
    await inVirtualTime(async (room) => {
      const alice = await room.join("alice", { limits: { [limit]: most } });
      const bob = room.raw("bob");
      bob.hello("alice");
      await room.time.advance(1);
      await room.time.run(alice.runtime.sendText("x", { ...to, ...("name" in passing ? {} : passing) }));
      await rejection(() => room.time.run(alice.runtime.sendBytes(pattern(1), { ...to, ...over })), "invalid-argument");
      assert.is(bob.headers.length, 1);
    });
  });
}

test("headerBytes: beyond it is invalid at the sender, and refused by the receiver", async () => {
  const to = { topic: "t", destinationIdentities: ["bob"] };
  await withLimits({ headerBytes: 500 }, async (pair) => {
    const ends = readAll(pair);
    await send(pair, 1);
    const long = { ...to, attributes: { a: "x".repeat(500) } };
    await rejection(() => pair.room.time.run(pair.alice.runtime.sendBytes(pattern(1), long)), "refused");
    await rejection(
      () => pair.room.time.run(pair.bob.runtime.sendText("x", { ...long, destinationIdentities: ["alice"] })),
      "invalid-argument",
    );
    assert.equal(ends, [1]);
  });
});

test("receiveWindow: an unread stream holds at most that, and its sender waits", async () => {
  await withLimits({ receiveWindow: 100_000, stallTimeout: Infinity }, async ({ room, alice, bob }) => {
    const readers = collectReaders(bob.runtime);
    const sending = alice.runtime.sendBytes(pattern(1_000_000), { topic: "t", destinationIdentities: ["bob"] });
    await room.time.advance(1_000);
    const [reader] = readers;
    assert.ok(reader);
    const { held } = heldBy(reader);
    assert.ok(held <= 100_000 && held > 50_000, `held ${held}`);
    let most = 0;
    let bytes = 0;
    const iterating = (async () => {
      for await (const part of reader) {
        bytes += part.length;
        most = Math.max(most, heldBy(reader).held);
      }
    })();
    await room.time.run(sending);
    await room.time.run(iterating);
    assert.is(bytes, 1_000_000);
    assert.ok(most <= 100_000, `held ${most}`);
  });
});

test("HandlerOptions.window: applies to the handler's streams", async () => {
  await withLimits({}, async ({ room, alice, bob }) => {
    const readers = collectReaders(bob.runtime, "t", { window: 60_000 });
    await room.time.advance(1);
    const sending = alice.runtime.sendBytes(pattern(300_000), { topic: "t", destinationIdentities: ["bob"] });
    await room.time.advance(1_000);
    const [reader] = readers;
    assert.ok(reader);
    assert.ok(heldBy(reader).held <= 60_000, `held ${heldBy(reader).held}`);
    const [read] = await Promise.all([room.time.run(reader.readAll()), room.time.run(sending)]);
    assert.equal(read, pattern(300_000));
  });
});

test("senderWindow: is shared by a sender's streams, none of which is harmed; unread bulk blocks no message", async () => {
  await withLimits({ receiveWindow: 60_000, senderWindow: 100_000 }, async ({ room, alice, bob }) => {
    const readers = collectReaders(bob.runtime);
    const chat: string[] = [];
    bob.runtime.registerTextStreamHandler("chat", async (reader) => void chat.push(await reader.readAll()));
    const sent: Promise<unknown>[] = [];
    for (let i = 0; i < 8; i++) {
      sent.push(alice.runtime.sendBytes(pattern(200_000, i), { topic: "t", destinationIdentities: ["bob"] }));
    }
    const all = Promise.all(sent);
    all.catch(() => {});
    await room.time.advance(1_000);
    assert.is(readers.length, 8);
    const held = readers.reduce((sum, reader) => sum + heldBy(reader).held, 0);
    assert.ok(held <= 100_000 + 8 * 15_000, `held ${held}`);
    for (let i = 0; i < 20; i++) await room.time.run(alice.runtime.sendText(`hello ${i}`, { topic: "chat" }));
    await room.time.advance(1);
    assert.is(chat.length, 20);
    const read = await room.time.run(Promise.all(readers.map((reader) => reader.readAll())));
    await room.time.run(all);
    for (const bytes of read) assert.is(bytes.length, 200_000);
    assert.equal(bob.errors, []);
  });
});

test("totalWindow: is shared by all senders, each of which has 60,000 bytes of its own", async () => {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob", { limits: { receiveWindow: 200_000, totalWindow: 300_000 } });
    const readers = collectReaders(bob.runtime);
    const senders: Member[] = [];
    for (let i = 0; i < 6; i++) senders.push(await room.join(`sender ${i}`));
    const sent = senders.map(({ runtime }, i) =>
      runtime.sendBytes(pattern(500_000, i), { topic: "t", destinationIdentities: ["bob"] })
    );
    const all = Promise.all(sent);
    all.catch(() => {});
    await room.time.advance(1_000);
    const held = readers.reduce((sum, reader) => sum + heldBy(reader).held, 0);
    assert.ok(held <= 300_000 + 6 * (60_000 + 15_000), `held ${held}`);
    const read = await room.time.run(Promise.all(readers.map((reader) => reader.readAll())));
    await room.time.run(all);
    assert.is(read.length, 6);
    for (const bytes of read) assert.is(bytes.length, 500_000);
  });
});

test("MemoryAccount: small unread writes take memory in proportion to their bytes", async () => {
  await withLimits({ receiveWindow: 60_000 }, async ({ room, alice, bob }) => {
    const readers = collectReaders(bob.runtime);
    const writer = await room.time.run(alice.runtime.streamBytes({ topic: "t", destinationIdentities: ["bob"] }));
    for (let i = 0; i < 1_000; i++) {
      await room.time.run(writer.write(pattern(20)));
      await room.time.advance(10);
    }
    assert.is(heldBy(readers[0] as ByteStreamReader).held, 20_000);
    assert.ok(bob.codec.segments.inUse < 1_000_000, `in use ${bob.codec.segments.inUse}`);
    const reading = readers[0]?.readAll();
    await room.time.run(writer.close());
    assert.is((await room.time.run(reading ?? Promise.reject(new Error("No reader"))) as Uint8Array).length, 20_000);
  });
});

test("foreignQueue: a plain sender's unread stream is held up to that, then too-large", async () => {
  await withLimits({ foreignQueue: 30_000 }, async ({ room, bob }) => {
    const plain = room.raw("plain");
    const readers = collectReaders(bob.runtime);
    plain.open("bob", "a", 0, { extension: false });
    plain.open("bob", "b", 0, { extension: false });
    for (const id of ["a", "b"]) for (let i = 0; i < 2; i++) plain.chunk("bob", id, i, pattern(15_000));
    plain.chunk("bob", "b", 2, pattern(1));
    plain.trailer("bob", "a", undefined);
    await room.time.advance(1);
    assert.is((await room.time.run(readers[0]?.readAll() as Promise<Uint8Array>)).length, 30_000);
    await rejection(() => readers[1]?.readAll(), "too-large");
  });
});

test("limits: Infinity is allowed everywhere, and invalid values nowhere", async () => {
  const names = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[];
  const limits = Object.fromEntries(names.map((name) => [name, Infinity]));
  await withLimits(limits, async (pair) => {
    const ends = readAll(pair);
    await send(pair, 100_000);
    assert.equal(ends, [100_000]);
  });
  for (const name of names) {
    for (const value of [-1, NaN, "1", null, name.endsWith("Timeout") ? "x" : 1.5]) {
      const wrong = { [name]: value } as unknown as Partial<Limits>;
      await rejection(() => createRuntime({ transport: createHub().join("a"), limits: wrong }), "invalid-argument");
    }
  }
  const unknown = { streamByte: 1 } as unknown as Partial<Limits>;
  await rejection(() => createRuntime({ transport: createHub().join("a"), limits: unknown }), "invalid-argument");
});

/** Bytes that a reader's stream holds, by its own count. */
function heldBy(reader: ByteStreamReader): { held: number; code?: StreamErrorCode } {
  return incomingOf(reader).content;
}

test.run();
