// Every timer of a stream's life, in virtual time.
import * as assert from "uvu/assert";
import type { ByteStreamReader, Progress, TextStreamReader } from "../../mod.ts";
import { collectReaders, TO_BOB } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { type HubFixture, inVirtualTime, type Member } from "../support/hub/hub_fixture.ts";

const test = suite("time-outs");

const HOUR = 3_600_000;
function texts(member: Member): TextStreamReader[] {
  const readers: TextStreamReader[] = [];
  member.runtime.registerTextStreamHandler("t", (reader) => void readers.push(reader));
  return readers;
}

function bytes(member: Member): ByteStreamReader[] {
  const readers = collectReaders(member.runtime);
  return readers;
}

function first<T>(readers: readonly T[]): T {
  const [reader] = readers;
  if (reader === undefined) throw new Error("No stream was offered");
  return reader;
}

async function pair(body: (room: HubFixture, alice: Member, bob: Member) => Promise<void>, limits = {}): Promise<void> {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice", { limits });
    const bob = await room.join("bob", { limits });
    await body(room, alice, bob);
  });
}

test("idleTimeout: a sender that lives may pause for an hour", async () => {
  await pair(async (room, alice, bob) => {
    const readers = texts(bob);
    const writer = await room.time.run(alice.runtime.streamText({ ...TO_BOB, confirm: true }));
    await room.time.run(writer.write("before "));
    await room.time.advance(HOUR);
    await room.time.run(writer.write("after"));
    const all = first(readers).readAll();
    await room.time.run(writer.close());
    assert.is(await room.time.run(all), "before after");
  });
});

test("incoming streams: bytes of an aborted stream are kept for the reader, but not for ever", async () => {
  await pair(async (room, alice, bob) => {
    const readers = texts(bob);
    const writer = await room.time.run(alice.runtime.streamText(TO_BOB));
    await room.time.run(writer.write("the beginning"));
    await room.time.run(writer.abort("no more"));
    await room.time.advance(29_000);
    assert.is(first(readers).actor.getSnapshot().value, "receiving");
    await room.time.advance(2_000);
    assert.is(first(readers).actor.getSnapshot().value, "failed");
    assert.is((await rejection(() => first(readers).closed, "aborted")).reason, "no more");
  });
});

test("idleTimeout: a frozen sender is given up then, not before", async () => {
  for (const idleTimeout of [3_000, 30_000]) {
    await pair(async (room, alice, bob) => {
      const readers = texts(bob);
      const writer = await room.time.run(alice.runtime.streamText(TO_BOB));
      await room.time.advance(1);
      room.hub.freeze("alice");
      await room.time.advance(idleTimeout * 0.66);
      assert.is(first(readers).actor.getSnapshot().value, "receiving");
      await room.time.advance(idleTimeout * 0.4);
      await rejection(() => first(readers).readAll(), "timeout");
      room.hub.thaw("alice");
      await room.time.advance(idleTimeout);
      await rejection(() => writer.write("still there?"), "timeout");
    }, { idleTimeout });
  }
});

test("idleTimeout: with Infinity, a frozen sender is waited for", async () => {
  await pair(async (room, alice, bob) => {
    const readers = texts(bob);
    const writer = await room.time.run(alice.runtime.streamText(TO_BOB));
    await room.time.advance(1);
    room.hub.freeze("alice");
    await room.time.advance(HOUR);
    room.hub.thaw("alice");
    await room.time.run(writer.write("still here"));
    const all = first(readers).readAll();
    await room.time.run(writer.close());
    assert.is(await room.time.run(all), "still here");
  }, { idleTimeout: Infinity });
});

test("idleTimeout: a vanished sender is disconnected if that is noticed, a time-out if not", async () => {
  for (const [toldAfter, code] of [[1_000, "disconnected"], [HOUR, "timeout"]] as const) {
    await pair(async (room, alice, bob) => {
      const readers = texts(bob);
      await room.time.run(alice.runtime.streamText(TO_BOB));
      await room.time.advance(1);
      room.hub.vanish("alice", { toldAfter });
      await room.time.advance(31_000);
      await rejection(() => first(readers).readAll(), code);
      await room.time.advance(HOUR);
    });
  }
});

test("idleTimeout: a receiver that vanished unnoticed is a time-out, long before stallTimeout", async () => {
  await pair(async (room, alice, bob) => {
    texts(bob);
    const writer = await room.time.run(alice.runtime.streamText(TO_BOB));
    const sending = alice.runtime.sendBytes(pattern(100), TO_BOB);
    sending.catch(() => {});
    await room.time.advance(1);
    room.hub.vanish("bob", { toldAfter: HOUR });
    await room.time.advance(9_000);
    await room.time.run(writer.write("are you there?"));
    await room.time.advance(5_000);
    await rejection(() => writer.write("still there?"), "timeout");
    await rejection(() => sending, "timeout");
    await room.time.advance(HOUR);
  }, { idleTimeout: 10_000, stallTimeout: HOUR });
});

test("foreignIdleTimeout: another SDK may be silent longer, as it sends no keep-alives", async () => {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob");
    const readers = bytes(bob);
    const plain = room.raw("plain");
    plain.open("bob", "s", 0, { extension: false });
    await room.time.advance(299_000);
    assert.is(first(readers).actor.getSnapshot().value, "receiving");
    plain.chunk("bob", "s", 0, pattern(1));
    await room.time.advance(299_000);
    assert.is(first(readers).actor.getSnapshot().value, "receiving");
    await room.time.advance(1_100);
    await rejection(() => first(readers).readAll(), "timeout");
  });
});

test("idleTimeout: a silent receiver of another SDK is not given up, whatever other streams it has", async () => {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob");
    const readers = bytes(bob);
    const plain = room.raw("plain");
    plain.open("bob", "s", 0, { extension: false }); // so that its signs of life are looked for
    const writer = await room.time.run(bob.runtime.streamText({ topic: "t", destinationIdentities: ["plain"] }));
    await room.time.advance(200_000);
    plain.chunk("bob", "s", 0, pattern(1));
    await room.time.run(writer.write("still here?"));
    await room.time.run(writer.close());
    const seen = plain.packets.filter(({ packet }) => packet.type === "trailer");
    assert.equal(seen.map(({ packet }) => packet.type === "trailer" && packet.reason), [""]);
    assert.is(first(readers).actor.getSnapshot().value, "receiving");
  });
});

test("unclaimedTimeout: a handler may be registered until then; afterwards the stream is refused", async () => {
  await pair(async (room, alice, bob) => {
    const early = await room.time.run(alice.runtime.streamText(TO_BOB));
    await room.time.advance(4_900);
    const readers = texts(bob);
    await room.time.advance(5_000);
    await room.time.run(early.write("in time"));
    const all = first(readers).readAll();
    await room.time.run(early.close());
    assert.is(await room.time.run(all), "in time");
    bob.runtime.unregisterTextStreamHandler("t");
    const late = await room.time.run(alice.runtime.streamText(TO_BOB));
    await room.time.advance(5_100);
    await rejection(() => late.write("x"), "refused");
    assert.is(late.actor.getSnapshot().value, "failed");
  });
});

test("stallTimeout: a named receiver that takes nothing is given up at both ends; an occasional reader is not", async () => {
  await pair(async (room, alice, bob) => {
    const readers = bytes(bob);
    const sending = alice.runtime.sendBytes(pattern(3_000_000), TO_BOB);
    sending.catch(() => {});
    await room.time.advance(29_000);
    const taking = first(readers)[Symbol.asyncIterator]();
    for (let i = 0; i < 8; i++) {
      await room.time.run(taking.next());
      await room.time.advance(25_000);
      assert.is(first(readers).actor.getSnapshot().value, "receiving", `after ${i}`);
    }
    await room.time.advance(31_000);
    await rejection(() => room.time.run(sending), "timeout");
    await rejection(async () => {
      for (;;) await room.time.run(taking.next());
    }, "timeout");
  });
});

test("stallTimeout: ends the wait for a receipt that does not come", async () => {
  await pair(async (room, alice, bob) => {
    const readers = bytes(bob);
    const sending = alice.runtime.sendBytes(pattern(100), TO_BOB);
    sending.catch(() => {});
    let settled = false;
    sending.then(() => (settled = true), () => (settled = true));
    await room.time.advance(29_000);
    assert.is(settled, false);
    await room.time.advance(2_000);
    const error = await rejection(() => sending, "timeout");
    assert.is(error.identity, "bob");
    assert.is((await room.time.run(first(readers).readAll())).length, 100, "all of it had come: it may as well be read");
  });
});

test("confirm: a broadcast waits 2 s for an unclaimed receiver's receipt, a named receiver's until stallTimeout", async () => {
  for (const [named, least, most] of [[false, 1_900, 2_500], [true, 29_900, 31_000]] as const) {
    await pair(async (room, alice, bob) => {
      bob.runtime.registerTextStreamHandler("t", async (reader) => void await reader.readAll());
      const mute = room.raw("mute"); // a runtime, by its hello, that says nothing of any stream
      mute.hello("alice");
      await room.time.advance(100);
      const begun = room.time.now();
      const to = named ? { destinationIdentities: ["bob", "mute"] } : {};
      const { receipts } = await room.time.run(alice.runtime.sendText("to all", { topic: "t", confirm: true, ...to }));
      const took = room.time.now() - begun;
      assert.ok(took >= least && took <= most, `took ${took} ms`);
      const missing = { identity: "mute", bytes: 0, error: "timeout" };
      assert.equal(receipts, [{ identity: "bob", bytes: 6 }, ...(named ? [missing] : [])]);
    });
  }
});

test("confirm: a lost receipt is repeated with the next keep-alive", async () => {
  await pair(async (room, alice, bob) => {
    const readers = bytes(bob);
    const sending = alice.runtime.sendBytes(pattern(100), TO_BOB);
    sending.catch(() => {});
    await room.time.advance(20);
    room.hub.part("bob", "alice", { oneWay: true });
    await room.time.run(first(readers).readAll());
    await room.time.advance(1);
    room.hub.heal("bob", "alice", { oneWay: true });
    const { receipts } = await room.time.run(sending, { limit: 15_000 });
    assert.equal(receipts, [{ identity: "bob", bytes: 100 }]);
  });
});

test("stallTimeout: with Infinity, a receipt is waited for as long as the receiver lives", async () => {
  await pair(async (room, alice, bob) => {
    const readers = bytes(bob);
    const sending = alice.runtime.sendBytes(pattern(2_000_000), TO_BOB);
    sending.catch(() => {});
    await room.time.advance(HOUR);
    const read = first(readers).readAll();
    await room.time.run(sending);
    assert.is((await room.time.run(read)).length, 2_000_000);
  }, { stallTimeout: Infinity });
});

test("stallTimeout: in a broadcast, one receiver is dropped and the others get the whole", async () => {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    const others: Member[] = [];
    for (const name of ["bob", "carol", "dave"]) others.push(await room.join(name));
    const [bob, carol, dave] = others as [Member, Member, Member];
    const unread = bytes(bob);
    const lengths: number[] = [];
    for (const member of [carol, dave]) {
      member.runtime.registerByteStreamHandler("t", async (reader) => void lengths.push((await reader.readAll()).length));
    }
    const sending = alice.runtime.sendBytes(pattern(3_000_000), { topic: "t" });
    sending.catch(() => {});
    await room.time.advance(29_000);
    assert.equal(lengths, [], "it goes at the pace of the slowest");
    const info = await room.time.run(sending);
    await room.time.run(() => lengths.length === 2);
    assert.equal(lengths, [3_000_000, 3_000_000]);
    assert.equal(info.receipts?.map(({ identity, error }) => `${identity} ${error}`).sort(), [
      "bob timeout",
      "carol undefined",
      "dave undefined",
    ]);
    await rejection(() => room.time.run(first(unread).readAll()), "timeout");
  });
});

test("hello: the first send to an unknown participant waits 300 ms, then is plain", async () => {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    const plain = room.raw("plain");
    const sending = alice.runtime.sendBytes(pattern(20_000), { topic: "t", destinationIdentities: ["plain"] });
    await room.time.advance(299);
    assert.equal(plain.headers, []);
    await room.time.advance(2);
    assert.equal(plain.headers.map(({ sequence }) => sequence), [undefined]);
    await room.time.run(sending);
    const second = alice.runtime.sendText("at once", { topic: "t", destinationIdentities: ["plain"] });
    await room.time.advance(0);
    assert.is(plain.headers.length, 2);
    await room.time.run(second);
    const chunks = plain.of("chunk", plain.headers[0]?.streamId ?? "");
    assert.equal(chunks.map(({ content }) => content.length), [15_000, 5_000]);
  });
});

test("StreamWriter.write(): a small write is sent within 10 ms, text at once", async () => {
  await pair(async (room, alice) => {
    const eve = room.raw("eve");
    eve.hello("alice");
    await room.time.advance(1);
    const to = { topic: "t", destinationIdentities: ["eve"] };
    const writer = await room.time.run(alice.runtime.streamBytes({ ...to, streamId: "b" }));
    await writer.write(pattern(10));
    await room.time.advance(9);
    assert.is(eve.of("chunk", "b").length, 0);
    await writer.write(pattern(10));
    await room.time.advance(1);
    assert.is(eve.of("chunk", "b").length, 1);
    const text = await room.time.run(alice.runtime.streamText({ ...to, streamId: "t" }));
    await text.write("a");
    await room.time.advance(0);
    assert.is(eve.of("chunk", "t").length, 1);
    await writer.abort();
    await text.abort();
  });
});

test("onProgress: is called at most once in 50 ms, and at the end", async () => {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob");
    const alice = await room.join("alice");
    bob.runtime.registerByteStreamHandler("t", async (reader) => void await reader.readAll());
    const times: number[] = [];
    const reports: Progress[] = [];
    const sending = alice.runtime.sendBytes(pattern(8_000_000), {
      ...TO_BOB,
      onProgress: (progress) => {
        times.push(room.time.now());
        reports.push(progress);
      },
    });
    await room.time.run(sending);
    assert.ok(
      times.length >= 5 && times.length < 30,
      `reports at ${times.join()} of ${reports.map(({ bytes }) => bytes).join()}`,
    );
    for (let i = 1; i < times.length - 1; i++) assert.ok((times[i] ?? 0) - (times[i - 1] ?? 0) >= 50);
    assert.is(reports.at(-1)?.bytes, 8_000_000);
    assert.is(reports.at(-1)?.percent, 100);
  }, { link: { kind: "reliable", rate: 20_000_000, delay: 5, queue: 20_000 } });
});

test.run();
