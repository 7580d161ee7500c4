// Sends beyond the receiver's stream limit wait for their turn.
import * as assert from "uvu/assert";
import { collectReaders, TO_BOB } from "../support/handlers.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { pattern } from "../support/bytes.ts";
import { inVirtualPair, inVirtualTime, type Member } from "../support/hub/hub_fixture.ts";

const test = suite("OpeningQueue");

test("sendText: thousands of calls that are not awaited arrive, each and in order", async () => {
  await inVirtualPair(async (alice, bob, room) => {
    const came: string[] = [];
    const got: string[] = [];
    bob.runtime.registerTextStreamHandler("t", async (reader) => {
      came.push(reader.info.streamId);
      got.push(await reader.readAll());
    });
    const texts = Array.from({ length: 3_000 }, (_, i) => `text ${i}`);
    await room.time.run(Promise.all(texts.map((text) => alice.runtime.sendText(text, { topic: "t", streamId: text }))));
    await room.time.run(() => got.length === texts.length);
    assert.is(new Set(got).size, texts.length);
    assert.is(came.findIndex((text, i) => text !== texts[i]), -1);
    assert.equal([...alice.errors, ...bob.errors], []);
  });
});

for (const after of [0, 1, 100]) {
  test(`OpeningQueue: streams to a peer that says hello ${after} ms after the request open in the order of their calls`, async () => {
    await inVirtualTime(async (room) => {
      const alice = await room.join("alice");
      const eve = room.raw("eve");
      await room.time.advance(1);
      eve.react = ({ type }) => {
        if (type !== "control") return;
        eve.react = () => {};
        if (after === 0) eve.hello("alice");
        else room.time.setTimeout(() => eve.hello("alice"), after);
      };
      const ids = Array.from({ length: 5 }, (_, i) => `s-${i}`);
      const options = { topic: "t", destinationIdentities: ["eve"] };
      const writers = await room.time.run(Promise.all(ids.map((streamId) => alice.runtime.streamText({ ...options, streamId }))));
      await room.time.advance(1);
      assert.equal(eve.headers.map(({ streamId }) => streamId), ids);
      for (const writer of writers) await writer.abort();
    });
  });
}

for (const [streams, streamsPerSender, count] of [[1, 1, 3], [1, 1024, 3], [7, 3, 4], [20, 1024, 5], [64, 8, 2]] as const) {
  test(`OpeningQueue: with limits of ${streams} streams, ${streamsPerSender} a sender, ${count} senders send 60 each and none is refused`, async () => {
    await inVirtualTime(async (room) => {
      const bob = await room.join("bob", { limits: { streams, streamsPerSender } });
      let open = 0;
      let most = 0;
      let taken = 0;
      bob.runtime.registerByteStreamHandler("t", async (reader) => {
        most = Math.max(most, ++open);
        await reader.readAll();
        open--;
        taken++;
      });
      const senders: Member[] = [];
      for (let i = 0; i < count; i++) senders.push(await room.join(`sender ${i}`));
      const sends = senders.flatMap(({ runtime }) =>
        Array.from({ length: 60 }, (_, i) => runtime.sendBytes(pattern(i * 500), TO_BOB))
      );
      await room.time.run(Promise.all(sends));
      assert.is(taken, 60 * count);
      assert.ok(most <= streams, `${most} were open`);
      assert.equal(bob.errors, []);
    });
  });
}

test("OpeningQueue: a send aborted before its header gives its turn back", async () => {
  await inVirtualTime(async (room) => {
    const [alice, bob] = [await room.join("alice"), await room.join("bob", { limits: { streams: 2 } })];
    const texts: string[] = [];
    bob.runtime.registerTextStreamHandler("t", async (reader) => void texts.push(await reader.readAll()));
    await room.time.run(alice.runtime.sendText("first", { ...TO_BOB, confirm: true }));
    for (let distance = 0; distance < 40; distance++) {
      const controller = new AbortController();
      const sending = alice.runtime.sendText(`aborted ${distance}`, { ...TO_BOB, signal: controller.signal });
      for (let i = 0; i < distance; i++) await Promise.resolve();
      controller.abort();
      await room.time.run(sending.then(() => undefined, () => undefined));
    }
    await room.time.run(alice.runtime.sendText("last", { ...TO_BOB, confirm: true }));
    assert.is(texts.at(-1), "last");
    assert.ok(texts.length < 40, `${texts.length} texts arrived`);
  });
});

test("StreamGrant: streams of another SDK count, and make room when they end", async () => {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob", { limits: { streams: 2 } });
    const readers = collectReaders(bob.runtime);
    const alice = await room.join("alice");
    const plain = room.raw("plain");
    for (const id of ["p-1", "p-2"]) plain.open("bob", id, 0, { extension: false });
    await room.time.advance(1);
    assert.is(readers.length, 2);
    const waiting = alice.runtime.sendBytes(pattern(10), { ...TO_BOB, confirm: false });
    await room.time.advance(1_000);
    assert.is(readers.length, 2);
    assert.equal(bob.errors, []);
    plain.trailer("bob", "p-1", undefined);
    await room.time.run(readers[0]?.readAll() ?? Promise.reject(new Error("No reader")));
    await room.time.run(waiting, { limit: 1_000 });
    await room.time.advance(1);
    assert.is(readers.length, 3);
  });
});

test("StreamGrant: senders who leave release the streams they were promised", async () => {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob", { limits: { streams: 70 } });
    let taken = 0;
    bob.runtime.registerTextStreamHandler("t", async (reader) => {
      await reader.readAll();
      taken++;
    });
    for (let i = 0; i < 100; i++) {
      const { runtime } = await room.join(`visitor ${i}`);
      if (i % 10 === 9) await room.time.run(runtime.sendText("x", { ...TO_BOB, confirm: true }), { limit: 1_000 });
      await room.time.run(runtime.close());
    }
    assert.is(taken, 10);
  });
});

test("OpeningQueue: a send refused for its arguments takes no turn", async () => {
  await inVirtualTime(async (room) => {
    const [alice, bob] = [await room.join("alice"), await room.join("bob", { limits: { streamsPerSender: 1 } })];
    bob.runtime.registerTextStreamHandler("t", async (reader) => void await reader.readAll());
    for (let i = 0; i < 3; i++) {
      const attributes = { long: "x".repeat(20_000) };
      await rejection(() => room.time.run(alice.runtime.sendText("x", { ...TO_BOB, attributes })), "invalid-argument");
    }
    await room.time.run(alice.runtime.sendText("x", { ...TO_BOB, confirm: true }), { limit: 1_000 });
  });
});

test("StreamGrant: a lost raise is repeated", async () => {
  await inVirtualTime(async (room) => {
    const [alice, bob] = [await room.join("alice"), await room.join("bob", { limits: { streamsPerSender: 1 } })];
    const readers = collectReaders(bob.runtime);
    const first = await room.time.run(alice.runtime.streamBytes(TO_BOB));
    const second = alice.runtime.streamBytes(TO_BOB);
    await room.time.advance(1);
    await first.abort();
    room.hub.part("alice", "bob");
    await rejection(() => room.time.run(readers[0]?.readAll() ?? Promise.reject(new Error("No reader"))), "aborted");
    await room.time.advance(1);
    room.hub.heal("alice", "bob");
    await (await room.time.run(second)).abort();
  });
});

test("StreamGrant: lost headers hold no place", async () => {
  await inVirtualTime(async (room) => {
    const [alice, bob] = [await room.join("alice"), await room.join("bob", { limits: { streamsPerSender: 4 } })];
    const got: string[] = [];
    bob.runtime.registerTextStreamHandler("t", async (reader) => void got.push(await reader.readAll()));
    for (let round = 0; round < 4; round++) {
      room.hub.part("alice", "bob", { oneWay: true });
      const lost = Promise.all([1, 2].map((i) => alice.runtime.sendText(`lost ${i}`, TO_BOB)));
      await room.time.advance(1);
      room.hub.heal("alice", "bob", { oneWay: true });
      await room.time.run(lost);
    }
    await room.time.run(Promise.all(Array.from({ length: 20 }, (_, i) => alice.runtime.sendText(`text ${i}`, TO_BOB))));
    await room.time.run(() => got.filter((text) => text.startsWith("text")).length === 20);
    assert.ok(got.length < 28, "none was lost: the test shows nothing");
  });
});

test("StreamGrant: a sender who ignores the limit is refused, and the advertised limit stays correct", async () => {
  await inVirtualTime(async (room) => {
    const bob = await room.join("bob", { limits: { streamsPerSender: 3 } });
    const readers = collectReaders(bob.runtime);
    const eve = room.raw("eve");
    eve.hello("bob");
    await room.time.advance(1);
    for (let i = 0; i < 10; i++) eve.open("bob", `s-${i}`, i);
    await room.time.advance(1);
    assert.is(readers.length, 3);
    assert.is(bob.errors.filter(({ code }) => code === "refused").length, 7);
    const told = eve.statesFrom("bob").at(-1)?.streams ?? 0;
    assert.ok(told <= 10, `${told} may be opened`);
  });
});

test.run();
