import fc from "fast-check";
import * as assert from "uvu/assert";
import type { Packet } from "../../protocol/wire/packets.ts";
import type { LinkOptions } from "../../transports/hub/link_options.ts";
import { createHub } from "../../transports/hub/hub.ts";
import { chunk, control } from "../support/conformance/transport.ts";
import { suite } from "../support/harness.ts";
import { listen } from "../support/hub/hub_members.ts";
import { VirtualTime } from "../support/hub/virtual_time.ts";

const test = suite("hub links");

/** Sends chunks of these sizes over a link, all at once. Returns the events with their times. */
async function history(
  link: LinkOptions,
  sizes: readonly number[],
  seed: number,
): Promise<{ events: string[]; times: number[] }> {
  const time = new VirtualTime();
  const hub = createHub({ clock: time, seed, link });
  const alice = hub.join("alice");
  const bob = listen(hub, "bob", () => time.now());
  await Promise.all(sizes.map((size, index) => time.run(alice.send(chunk("s", index, new Uint8Array(size)), ["bob"]))));
  await time.run(alice.close());
  assert.is(bob.events.pop(), "left alice");
  bob.times.pop();
  return bob;
}

function inOrder(sizes: readonly number[]): string[] {
  return sizes.map((size, index) => `alice: chunk s ${index} ${size}`);
}

const sizes = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 40 });
const seed = fc.integer();

test("law: a reliable link delivers everything once and in order, whatever its delay, rate, queue and loss", async () => {
  const link = fc.record({
    kind: fc.constant("reliable" as const),
    delay: fc.integer({ min: 0, max: 200 }),
    rate: fc.integer({ min: 1_000, max: 10_000_000 }),
    queue: fc.oneof(fc.integer({ min: 0, max: 200_000 }), fc.record({ ms: fc.integer({ min: 0, max: 500 }) })),
    loss: fc.double({ min: 0, max: 0.9, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(link, sizes, seed, async (options, list, number) => {
      const { events } = await history(options, list, number);
      assert.equal(events, inOrder(list));
    }),
    { numRuns: 40 },
  );
});

test("law: no packet on a link arrives before its delay and transmission time", async () => {
  await fc.assert(
    fc.asyncProperty(sizes, seed, async (list, number) => {
      const { times } = await history({ kind: "reliable", delay: 30, rate: 100_000, loss: 0.2 }, list, number);
      let bytes = 0;
      for (const [index, size] of list.entries()) {
        bytes += size;
        assert.ok((times[index] ?? 0) >= 30 + bytes / 100 - 0.001, `Packet ${index} came too early: ${times[index]}`);
      }
    }),
    { numRuns: 30 },
  );
});

test("law: a hub with the same seed and traffic has the same history", async () => {
  const link: LinkOptions = { kind: "faulty", delay: 10, rate: 1_000_000, lose: 0.2, repeat: 0.2, reorder: 0.3 };
  await fc.assert(
    fc.asyncProperty(sizes, seed, async (list, number) => {
      assert.equal(await history(link, list, number), await history(link, list, number));
    }),
    { numRuns: 30 },
  );
  const many = Array.from({ length: 100 }, () => 100);
  assert.not.equal((await history(link, many, 1)).events, (await history(link, many, 2)).events);
});

test("law: a faulty link delivers only what was sent, at most twice", async () => {
  await fc.assert(
    fc.asyncProperty(sizes, seed, async (list, number) => {
      const { events } = await history({ kind: "faulty", lose: 0.3, repeat: 0.3, reorder: 0.3 }, list, number);
      const sent = new Set(inOrder(list));
      for (const event of events) assert.ok(sent.has(event), `Came and was not sent: ${event}`);
      for (const event of sent) assert.ok(events.filter((other) => other === event).length <= 2);
    }),
    { numRuns: 30 },
  );
});

test("faulty link: each fault happens as often as requested", async () => {
  const many = Array.from({ length: 1_000 }, () => 10);
  const between = (count: number, least: number, most: number): void => {
    assert.ok(count >= least && count <= most, `${count} is not from ${least} to ${most}`);
  };
  assert.equal((await history({ kind: "faulty" }, many, 1)).events, inOrder(many));
  assert.equal((await history({ kind: "faulty", lose: 1 }, many, 1)).events, []);
  between((await history({ kind: "faulty", lose: 0.1 }, many, 1)).events.length, 860, 940);
  between((await history({ kind: "faulty", repeat: 0.1 }, many, 1)).events.length, 1_060, 1_140);
  const late = (await history({ kind: "faulty", reorder: 0.1 }, many, 1)).events;
  between(late.filter((event, index) => index > 0 && indexOf(event) < indexOf(late[index - 1] ?? "")).length, 20, 120);
  assert.equal([...late].sort(), inOrder(many).sort());
});

function indexOf(event: string): number {
  return Number(event.split(" ")[3]);
}

test("link: passes as many bytes as its rate allows", async () => {
  for (const rate of [20_000, 1_000_000, 50_000_000]) {
    const list = Array.from({ length: 200 }, () => 15_000);
    const { times } = await history({ kind: "reliable", delay: 40, rate, queue: 60_000 }, list, 1);
    const took = (times[199] ?? 0) - 40;
    const measured = (200 * 15_000) / (took / 1_000);
    assert.ok(Math.abs(measured / rate - 1) < 0.001, `Rate ${rate}, measured ${measured}`);
  }
});

test("reliable link: may lose packets, and is slower then", async () => {
  const list = Array.from({ length: 200 }, () => 1_000);
  const good = await history({ kind: "reliable", delay: 20, rate: 1_000_000 }, list, 1);
  const bad = await history({ kind: "reliable", delay: 20, rate: 1_000_000, loss: 0.05, retransmission: 100 }, list, 1);
  assert.equal(bad.events, good.events);
  assert.ok((bad.times[100] ?? 0) > (good.times[100] ?? 0) + 50);
});

test("link: send() resolves when the queue has room, not before and not much later", async () => {
  for (const queue of [30_000, { ms: 300 }]) {
    const time = new VirtualTime();
    const hub = createHub({ clock: time, link: { kind: "reliable", delay: 1_000, rate: 100_000, queue } });
    const alice = hub.join("alice");
    const resolved: number[] = [];
    for (let index = 0; index < 5; index++) {
      await time.run(alice.send(chunk("s", index, new Uint8Array(15_000)), ["bob"]));
      resolved.push(Math.round(time.now()));
    }
    assert.equal(resolved, [0, 0, 0, 0, 0]); // nobody there: no line

    const bob = listen(hub, "bob", () => time.now());
    resolved.length = 0;
    for (let index = 0; index < 5; index++) {
      await time.run(alice.send(chunk("s", index, new Uint8Array(15_000))));
      resolved.push(Math.round(time.now()));
    }
    assert.equal(resolved, [0, 0, 150, 300, 450]);
    await time.run(alice.close());
    assert.equal(bob.times.map(Math.round), [1_150, 1_300, 1_450, 1_600, 1_750, 1_750]);
    assert.is(time.pending, 0);
  }
});

test("link: a sender that waits for the queue is released when the recipient leaves", async () => {
  const time = new VirtualTime();
  const hub = createHub({ clock: time, link: { kind: "reliable", rate: 1, queue: 0 } });
  const alice = hub.join("alice");
  const bob = hub.join("bob");
  const sent = alice.send(chunk("s", 0, new Uint8Array(10_000)));
  await bob.close();
  await time.run(sent, { limit: 1 });
  await time.run(alice.close(), { limit: 1 });
  assert.is(time.pending, 0);
});

test("link: copies the bytes of a packet", async () => {
  const time = new VirtualTime();
  const hub = createHub({ clock: time });
  hub.link("alice", "bob", { kind: "reliable", delay: 50 });
  const alice = hub.join("alice");
  const packets: Packet[] = [];
  hub.join("bob").open({ packet: (packet) => packets.push(packet), joined() {}, left() {}, closed() {} });
  const bytes = Uint8Array.of(1, 2, 3);
  await time.run(alice.send(chunk("s", 0, bytes)));
  bytes.fill(9);
  await time.advance(50);
  assert.equal((packets[0] as { content: Uint8Array }).content, Uint8Array.of(1, 2, 3));
});

test("hub.link(): a pair's link overrides the participants' links, those override the hub's, and all may change", async () => {
  const time = new VirtualTime();
  const hub = createHub({ clock: time, link: { kind: "reliable", delay: 300 } });
  hub.link("alice", "bob", { kind: "reliable", delay: 100 }, { oneWay: true });
  const alice = listen(hub, "alice", () => time.now());
  const bob = listen(hub, "bob", () => time.now());
  const carol = hub.join("carol", { link: { kind: "reliable", delay: 200 } });
  carol.open({ packet() {}, joined() {}, left() {}, closed() {} });
  await time.advance(0);
  for (const { events, times } of [alice, bob]) events.length = times.length = 0;
  await Promise.all([alice.transport.send(control("a")), bob.transport.send(control("b")), carol.send(control("c"))]);
  await time.advance(50);
  hub.link("alice", "bob", { kind: "reliable", delay: 10 });
  await alice.transport.send(control("behind"), ["bob"]);
  await time.advance(1_000);
  assert.equal(bob.events, ["alice: control a", "alice: control behind", "carol: control c"]);
  assert.equal(bob.times, [100, 100, 200]);
  assert.equal(alice.events, ["carol: control c", "bob: control b"]);
  assert.equal(alice.times, [200, 300]);
});

test("law: nothing arrives after hub.part() until heal(), and all after that", async () => {
  const link = fc.constantFrom<LinkOptions | undefined>(undefined, { kind: "reliable", delay: 20 }, {
    kind: "faulty",
    delay: 20,
    reorder: 0.5,
  });
  const step = fc.constantFrom("send", "part", "heal", "wait");
  await fc.assert(
    fc.asyncProperty(link, fc.array(step, { maxLength: 60 }), async (options, steps) => {
      const time = new VirtualTime({ turns: 2 });
      const hub = createHub({ clock: time, ...(options && { link: options }) });
      const alice = hub.join("alice");
      const bob = listen(hub, "bob");
      let parted = false;
      let index = 0;
      for (const what of [...steps, "heal", "send", "wait"]) {
        if (what === "send") await time.run(alice.send(chunk("s", index++, new Uint8Array(1))));
        if (what === "wait") await time.advance(100);
        if (what === "part" || what === "heal") hub[what]("bob", "alice");
        if (what === "part") parted = true;
        if (what === "heal") parted = false;
        const before = bob.events.length;
        if (parted) {
          await time.advance(200);
          assert.is(bob.events.length, before);
        }
      }
      assert.is(bob.events.includes(`alice: chunk s ${index - 1} 1`), true);
    }),
    { numRuns: 40 },
  );
});

test.run();
