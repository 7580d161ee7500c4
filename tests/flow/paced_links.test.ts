// Laws of congestion control on simulated links, in virtual time: full use, short queues, no starvation, adaptation to steps.
import * as assert from "uvu/assert";
import { spied } from "../support/hub/altered_transport.ts";
import { suite } from "../support/harness.ts";
import { pseudorandom } from "../support/bytes.ts";
import { inVirtualPair, inVirtualTime } from "../support/hub/hub_fixture.ts";
import { type Line, linkOf, overLine, quantile, transfer } from "../support/hub/paced_links.ts";

const test = suite("congestion on links");

const KB = 1_000;
const MB = 1_000_000;

/** Longest delay of a message beside bulk, in ms, beyond the link's own delay: the data that may be in flight beyond a round trip. */
function queueingBound({ rate, delay }: Line): number {
  const chunks = 4 * 15_000 / rate * 1_000; // the floor of two, one let in while there is room for any of it, one that is being sent
  return 0.25 * 2 * delay + 60 + chunks;
}

const LINES: readonly Line[] = [
  { rate: 100 * KB, delay: 0, queue: 2_000 },
  { rate: 100 * KB, delay: 150, queue: 500 },
  { rate: 500 * KB, delay: 60, queue: 500 },
  { rate: 1 * MB, delay: 20, queue: 20 },
  { rate: 1 * MB, delay: 20, queue: 500 },
  { rate: 1 * MB, delay: 40, queue: 2_000 },
  { rate: 1 * MB, delay: 300, queue: 500 },
  { rate: 3 * MB, delay: 2, queue: 500 },
  { rate: 3 * MB, delay: 50, queue: 200 },
  { rate: 10 * MB, delay: 10, queue: 200 },
  { rate: 2 * MB, delay: 10, queue: 500, loss: 0.002 },
  { rate: 2 * MB, delay: 10, queue: 500, loss: 0.02 },
];

for (const line of LINES) {
  const { rate, delay, queue, loss = 0 } = line;
  test(
    `congestion: ${
      rate / MB
    } MB/s, ${delay} ms, queue of ${queue} ms, loss ${loss}: full use, with messages hardly later than alone`,
    async () => {
      const bytes = Math.min(20 * MB, Math.max(1 * MB, rate * 15));
      const { goodput, latencies } = await overLine(line, bytes);
      const startup = 5 * 2 * delay / 1_000;
      assert.ok(bytes / goodput <= bytes / (0.9 * rate) + startup, `goodput ${goodput.toFixed(0)} of ${rate}`);
      const late = quantile(latencies, 0.9) - delay;
      const lost = loss === 0 ? 0 : 3 * Math.max(20, 3 * delay); // a packet that was sent again holds up those behind it
      assert.ok(late <= queueingBound(line) + lost, `${late.toFixed(0)} ms late, of ${queueingBound(line) + lost} allowed`);
    },
    { seconds: 60 },
  );
}

test("OutgoingPump: after an abort of a waiting bulk stream, only its trailer is sent", async () => {
  await inVirtualTime(async (room) => {
    const given: string[] = [];
    const transport = spied(room.hub.join("alice"), ({ type }) => {
      if (type !== "control") given.push(type);
    });
    const { runtime } = await room.join("alice", { transport });
    const eve = room.raw("eve");
    eve.hello("alice");
    await room.time.advance(500);
    const controller = new AbortController();
    const options = { topic: "t", streamId: "s", destinationIdentities: ["eve"], signal: controller.signal };
    const sending = runtime.sendBytes(new Uint8Array(900_000), { ...options, compress: false }).catch(() => {});
    await room.time.advance(1_000);
    eve.state("alice", { receiving: [{ sequence: 0, claim: "claimed", credit: 1_000_000, received: 0, taken: 0 }] });
    await room.time.advance(1_000);
    const before = [...given];
    assert.ok(before.length > 1 && before.length < 55, `${before.length} packets went without an acknowledgement`);
    controller.abort();
    await room.time.run(sending);
    await room.time.advance(1_000);
    assert.equal(given, [...before, "trailer"]);
  }, { link: { kind: "reliable", delay: 5, rate: 1 * MB } });
});

test("congestion: a fast link is used as far as credit allows, without a queue", async () => {
  const { goodput, latencies } = await overLine({ rate: 100 * MB, delay: 50, queue: 200 }, 20 * MB);
  assert.ok(goodput >= 0.75 * MB * 1.048576 / 0.1, `goodput ${goodput.toFixed(0)}`); // a window of 1 MiB in a round trip of 100 ms
  assert.ok(quantile(latencies, 0.95) <= 60, `${quantile(latencies, 0.95)} ms`);
});

test("congestion: a link that becomes ten times as fast is used within seconds", async () => {
  const slow = { rate: 300 * KB, delay: 20, queue: 500 };
  const { goodput } = await overLine(slow, 20 * MB, (room) => {
    room.time.setTimeout(() => room.hub.link("alice", "bob", linkOf({ ...slow, rate: 3 * MB })), 3_000);
  });
  // Three seconds at the old rate, the rest at the new one, and as long again to adapt.
  assert.ok(20 * MB / goodput <= 3 + (20 - 0.9) / 3 + 3, `${(20 * MB / goodput).toFixed(1)} s`);
});

test("congestion: on a link that becomes ten times as slow, the queue drains within seconds", async () => {
  const fast = { rate: 2 * MB, delay: 20, queue: 2_000 };
  const slow = { ...fast, rate: 200 * KB };
  const { latencies, goodput } = await overLine(fast, 8 * MB, (room) => {
    room.time.setTimeout(() => room.hub.link("alice", "bob", linkOf(slow)), 2_000);
  });
  const settled = latencies.slice(Math.ceil(latencies.length / 2));
  assert.ok(quantile(settled, 0.9) - 20 <= queueingBound(slow), `${quantile(settled, 0.9)} ms`);
  assert.ok(8 * MB / goodput <= 2 + (8 - 4) / 0.2 * 1.3, `${(8 * MB / goodput).toFixed(1)} s`);
});

for (const count of [2, 10]) {
  test(`congestion: ${count} streams to one receiver share its link evenly and fully`, async () => {
    await inVirtualPair(async (alice, bob, room) => {
      await room.time.advance(1_000);
      const had = new Map<string, number>();
      bob.runtime.registerByteStreamHandler("t", async (reader) => {
        for await (const part of reader) had.set(reader.info.streamId, (had.get(reader.info.streamId) ?? 0) + part.length);
      });
      const data = pseudorandom(4 * MB);
      const begin = room.time.now();
      const sends = Array.from(
        { length: count },
        () => alice.runtime.sendBytes(data, { topic: "t", destinationIdentities: ["bob"] }),
      );
      await room.time.run(() => [...had.values()].reduce((sum, bytes) => sum + bytes, 0) >= 2 * MB * count);
      const shares = [...had.values()];
      assert.is(shares.length, count);
      assert.ok(fairness(shares) > 0.95, `shares ${shares.join(", ")}`);
      await room.time.run(Promise.all(sends));
      const goodput = 4 * MB * count / (room.time.now() - begin) * 1_000;
      assert.ok(goodput >= 0.85 * 2 * MB, `goodput ${goodput.toFixed(0)}`);
    }, { link: linkOf({ rate: 2 * MB, delay: 20, queue: 500 }) });
  }, { seconds: 60 });
}

test("congestion: two senders to one receiver each use their own link", async () => {
  await inVirtualTime(async (room) => {
    const [alice, bob, carol] = [await room.join("alice"), await room.join("bob"), await room.join("carol")];
    await room.time.advance(1_000);
    const outcomes = await Promise.all([
      transfer(room, alice.runtime, carol, 4 * MB, "a"),
      transfer(room, bob.runtime, carol, 4 * MB, "b"),
    ]);
    for (const { goodput } of outcomes) assert.ok(goodput >= 0.8 * MB, `goodput ${goodput.toFixed(0)}`);
  }, { link: linkOf({ rate: MB, delay: 20, queue: 500 }) });
});

test("congestion: a broadcast has the pace of its slowest receiver, a stream to the fast one alone has not", async () => {
  await inVirtualTime(async (room) => {
    const alice = await room.join("alice");
    const [slow, fast] = [await room.join("slow"), await room.join("fast")];
    room.hub.link("alice", "slow", linkOf({ rate: 200 * KB, delay: 20, queue: 2_000 }));
    await room.time.advance(1_000);
    for (const { runtime } of [slow, fast]) {
      runtime.registerByteStreamHandler("all", async (reader) => {
        for await (const part of reader) void part;
      });
    }
    const begin = room.time.now();
    const all = alice.runtime.sendBytes(pseudorandom(2 * MB), { topic: "all" });
    const alone = await transfer(room, alice.runtime, fast, 4 * MB, "alone");
    assert.ok(alone.goodput >= 0.6 * 2 * MB, `goodput beside it ${alone.goodput.toFixed(0)}`);
    const { receipts } = await room.time.run(all);
    const seconds = (room.time.now() - begin) / 1_000;
    assert.equal((receipts ?? []).map(({ identity, bytes }) => `${identity} ${bytes}`).sort(), ["fast 2000000", "slow 2000000"]);
    assert.ok(seconds >= 2 / 0.2 && seconds <= 2 / 0.2 * 1.4, `${seconds} s`);
  }, { link: linkOf({ rate: 2 * MB, delay: 20, queue: 500 }) });
});

test("congestion: bulk keeps a tenth beside a flood of urgent packets, which do not wait for bulk", async () => {
  await inVirtualPair(async (alice, bob, room) => {
    await room.time.advance(1_000);
    let bulk = 0;
    bob.runtime.registerByteStreamHandler("bulk", async (reader) => {
      for await (const part of reader) bulk += part.length;
    });
    bob.runtime.registerByteStreamHandler("urgent", async (reader) => {
      for await (const part of reader) void part;
    });
    const sent = alice.runtime.sendBytes(pseudorandom(4 * MB), { topic: "bulk", destinationIdentities: ["bob"] });
    let flooding = true;
    const small = pseudorandom(15_000);
    const flood = async (): Promise<void> => {
      while (flooding) await alice.runtime.sendBytes(small, { topic: "urgent", destinationIdentities: ["bob"], confirm: false });
    };
    const floods = Array.from({ length: 20 }, flood);
    await room.time.advance(10_000);
    assert.ok(bulk >= 0.05 * 10 * MB, `${bulk} bytes of bulk in 10 s`);
    flooding = false;
    await room.time.run(Promise.all([...floods, sent]));
  }, { link: linkOf({ rate: MB, delay: 5, queue: 20 }) });
}, { seconds: 60 });

function fairness(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  return sum ** 2 / (shares.length * shares.reduce((total, share) => total + share ** 2, 0));
}

test.run();
