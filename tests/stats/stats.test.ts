// runtime.stats(): participants, open and ended streams, waits, figures of the pool and of the event loop.
import * as assert from "uvu/assert";
import { createHub, createRuntime, type RuntimeStats, type StreamStats } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { pattern } from "../support/bytes.ts";
import { collectReaders, collectTexts, last, TO_BOB } from "../support/handlers.ts";
import { inPair, inVirtualPair, inVirtualTime } from "../support/hub/hub_fixture.ts";

const test = suite("runtime.stats");

/** The only open stream. */
function only({ open: [stream, ...more] }: RuntimeStats): StreamStats {
  assert.equal(more, []);
  if (stream === undefined) throw new Error("No stream is open");
  return stream;
}

test("runtime.stats(): is plain JSON, of a fresh runtime too", async () => {
  await inVirtualPair(async ({ runtime: alice }, _bob, { time }) => {
    await time.advance(100);
    const stats = alice.stats();
    assert.equal(JSON.parse(JSON.stringify(stats)), stats);
    assert.is(stats.identity, "alice");
    assert.is(stats.state, "open");
    assert.is(stats.age, 100);
    assert.equal([stats.open, stats.ended], [[], []]);
    assert.equal(stats.peers, [{ identity: "bob", kind: "millrace", sending: 0, receiving: 0, pending: 0, unread: 0 }]);
  });
});

test("runtime.stats(): an outgoing stream has state, bytes, rate, and waits for the program or for credit", async () => {
  await inVirtualPair(async ({ runtime: alice }, { runtime: bob }, { time }) => {
    const readers = collectReaders(bob, "t", { window: 60_000 });
    await time.advance(100); // Alice learns of the window
    const writer = await alice.streamBytes(TO_BOB);
    await time.advance(0);
    const opened = only(alice.stats());
    assert.equal([opened.direction, opened.kind, opened.topic, opened.identities], ["out", "bytes", "t", ["bob"]]);
    assert.equal([opened.state, opened.waitsFor, opened.bytes], ["open", "data", 0]);
    const written = writer.write(pattern(500_000));
    await time.advance(1_000);
    const blocked = only(alice.stats());
    assert.equal([blocked.state, blocked.waitsFor], ["writing", "credit"]);
    assert.ok(blocked.bytes > 0 && blocked.bytes <= 60_000);
    assert.is(Math.round(blocked.rate), Math.round(blocked.bytes));
    assert.ok(blocked.pending > 0);
    assert.is(alice.stats().peers[0]?.pending, blocked.pending);
    assert.ok((alice.stats().peers[0]?.heard ?? Infinity) <= 1_000);
    const received = only(bob.stats());
    assert.equal([received.direction, received.identities, received.state, received.waitsFor], [
      "in",
      ["alice"],
      "receiving",
      "reader",
    ]);
    assert.ok(received.pending > 0);
    assert.is(bob.stats().peers[0]?.unread, received.pending);
    await time.run(Promise.allSettled([written, last(readers).cancel("enough"), writer.close()]));
  });
});

test("runtime.stats(): an ended stream is remembered with bytes, duration, code and reason", async () => {
  await inVirtualPair(async ({ runtime: alice }, { runtime: bob }, { time }) => {
    const readers = collectReaders(bob);
    const writer = await alice.streamBytes({ ...TO_BOB, streamId: "s" });
    await time.run(writer.write(pattern(1_000)));
    await time.advance(500);
    await last(readers).cancel("no room");
    await time.advance(250);
    for (const runtime of [alice, bob]) {
      const { open, ended: [stream] } = runtime.stats();
      assert.is(open.length, 0);
      assert.equal([stream?.streamId, stream?.state, stream?.code, stream?.reason], ["s", "failed", "cancelled", "no room"]);
      assert.equal([stream?.bytes, stream?.endedAgo], [1_000, 250]);
      assert.ok((stream?.age ?? 0) >= 500);
      assert.not.match(JSON.stringify(stream), /waitsFor/);
    }
  });
});

test("runtime.stats(): the last 256 ended streams are kept, in order", async () => {
  await inVirtualPair(async ({ runtime: alice }, { runtime: bob }, { time }) => {
    const texts = collectTexts(bob, "t");
    for (let n = 0; n < 300; n++) await time.run(alice.sendText("x", { ...TO_BOB, streamId: `s${n}` }));
    await time.advance(0);
    assert.is(texts.length, 300);
    const ids = Array.from({ length: 256 }, (_, n) => `s${n + 44}`);
    assert.equal(alice.stats().ended.map(({ streamId }) => streamId).join(), ids.join());
    for (const runtime of [alice, bob]) {
      const { ended } = runtime.stats();
      assert.is(ended.length, 256);
      assert.ok(ended.every(({ state, bytes, code }) => state === "closed" && bytes === 1 && code === undefined));
    }
  });
});

test("runtime.stats(): a stream that waits for an unannounced or absent receiver is opening", async () => {
  await inVirtualTime(async (room) => {
    const { runtime: alice } = await room.join("alice");
    const eve = room.raw("eve"); // says no hello
    const sent = alice.sendText("hi", { topic: "t", destinationIdentities: ["eve"] });
    await room.time.advance(0);
    const waiting = only(alice.stats());
    assert.equal([waiting.state, waiting.waitsFor, waiting.identities], ["opening", "receivers", ["eve"]]);
    await room.time.run(sent);
    assert.is(alice.stats().open.length, 0);
    assert.ok(eve.packets.some(({ packet }) => packet.type === "header"));
    assert.is(alice.stats().peers[0]?.kind, "sdk");
  });
});

test("runtime.stats(): an incoming stream waits for a handler, for its sender, or for its reader", async () => {
  await inVirtualPair(async ({ runtime: alice }, { runtime: bob }, { time }) => {
    const writer = await alice.streamText({ topic: "t" });
    await time.advance(0);
    assert.equal([only(bob.stats()).state, only(bob.stats()).waitsFor], ["offered", "handler"]);
    let part: Promise<IteratorResult<string>> | undefined;
    bob.registerTextStreamHandler("t", (reader) => void (part = reader[Symbol.asyncIterator]().next()));
    await time.advance(0);
    assert.equal([only(bob.stats()).state, only(bob.stats()).waitsFor], ["receiving", "sender"]);
    await writer.write("one");
    await time.advance(0);
    assert.equal(await part, { done: false, value: "one" });
    await writer.write("two");
    await time.advance(0);
    assert.is(only(bob.stats()).waitsFor, "reader");
    await writer.abort();
  });
});

test("runtime.stats(): a sender waits for receipts until a reader has taken all", async () => {
  await inVirtualPair(async ({ runtime: alice }, { runtime: bob }, { time }) => {
    const readers = collectReaders(bob);
    const sent = alice.sendBytes(pattern(1_000), TO_BOB);
    await time.advance(10);
    assert.equal([only(alice.stats()).state, only(alice.stats()).waitsFor], ["closing", "receipt"]);
    await time.run(last(readers).readAll());
    await time.run(sent);
    assert.is(alice.stats().ended.at(-1)?.state, "closed");
  });
});

test("runtime.stats(): on a line, a peer has round trip, window, bytes in flight and rate", async () => {
  await inVirtualPair(async ({ runtime: alice }, { runtime: bob }, { time }) => {
    assert.is(alice.stats().peers[0]?.roundTrip, undefined);
    bob.registerByteStreamHandler("t", async (reader) => void await reader.readAll());
    const sent = alice.sendBytes(pattern(3_000_000), { ...TO_BOB, compress: false });
    await time.advance(1_000);
    const { roundTrip = 0, window = 0, rate = 0, inFlight = -1 } = alice.stats().peers[0] ?? {};
    assert.ok(roundTrip >= 40 && roundTrip < 80, `${roundTrip} ms`);
    assert.ok(rate > 500_000 && rate < 1_200_000, `${rate} B/s`);
    assert.ok(window >= 30_000 && inFlight >= 0);
    const waits = new Set<string | undefined>();
    for (let n = 0; n < 50; n++) {
      await time.advance(5);
      waits.add(only(alice.stats()).waitsFor);
    }
    assert.ok(waits.has("congestion"), [...waits].join());
    await time.run(sent);
  }, { link: { kind: "reliable", delay: 20, rate: 1_000_000 } });
});

test("runtime.stats(): the rate is that since the last look, and shared by looks in quick succession", async () => {
  await inVirtualPair(async ({ runtime: alice }, { runtime: bob }, { time }) => {
    collectTexts(bob, "t");
    const writer = await alice.streamText(TO_BOB);
    await writer.write("x".repeat(1_000));
    await time.advance(1_000);
    assert.is(only(alice.stats()).rate, 1_000);
    await time.advance(100);
    assert.is(only(alice.stats()).rate, 1_000);
    await time.advance(900);
    assert.is(only(alice.stats()).rate, 0);
    await writer.close();
  });
});

test("runtime.stats(): counts jobs of the pool, and those done on this thread", async () => {
  await inPair(async (alice, bob) => {
    bob.registerByteStreamHandler("t", async (reader) => void await reader.readAll());
    const before = alice.stats();
    await alice.sendBytes(pattern(2_000_000), TO_BOB);
    const after = alice.stats();
    assert.ok(after.jobs > before.jobs && after.workers > 0);
  });
  await inPair(async (alice, bob) => {
    bob.registerByteStreamHandler("t", async (reader) => void await reader.readAll());
    await alice.sendBytes(pattern(2_000_000), TO_BOB);
    const { workers, jobs, inline } = alice.stats();
    assert.equal([workers, jobs], [0, 0]);
    assert.ok(inline > 0);
  }, { clock: "real", runtime: { pool: false } });
});

test("runtime.stats(): a hold of the event loop by any work is measured once somebody looks", async () => {
  await inPair(async (alice) => {
    alice.stats();
    await new Promise((resolve) => setTimeout(resolve, 30));
    const until = performance.now() + 120;
    while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const { longestHold } = alice.stats();
    assert.ok(longestHold >= 100, `${longestHold} ms`);
  });
});

test("runtime.stats(): tells the end of a runtime that is closed", async () => {
  const alice = await createRuntime({ transport: createHub().join("alice") });
  const writer = await alice.streamText({ topic: "t" });
  await alice.close();
  const { state, open, ended } = alice.stats();
  assert.equal([state, open.length], ["closed", 0]);
  assert.equal([ended[0]?.state, ended[0]?.code], ["failed", "aborted"]);
  await writer.abort();
});

test.run();
