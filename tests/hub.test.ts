import fc from "fast-check";
import * as assert from "uvu/assert";
import { StreamError } from "../errors.ts";
import type { Packet } from "../protocol/packets.ts";
import type { LinkOptions } from "../transports/faults.ts";
import { createHub, type Hub } from "../transports/memory.ts";
import type { Transport } from "../transports/transport.ts";
import { chunk, codeOf, control, describe, transportConformance } from "./conformance/transport.ts";
import { suite } from "./harness.ts";
import { VirtualTime } from "./virtual_time.ts";

transportConformance("hub", () => {
  const hub = createHub();
  return Promise.resolve({ join: (identity) => Promise.resolve(hub.join(identity)), close: () => Promise.resolve() });
});

transportConformance("hub with bad but reliable links", () => {
  const time = new VirtualTime();
  const hub = createHub({ clock: time, link: { kind: "reliable", delay: 7, rate: 1_000_000, queue: 20_000, loss: 0.1 } });
  let open = true;
  const passing = (async () => {
    // Bounded, so that a test that fails ends all the same.
    for (let step = 0; open && step < 100_000; step++) await time.advance(1);
  })();
  const close = async (): Promise<void> => {
    open = false;
    await passing;
  };
  return Promise.resolve({ join: (identity) => Promise.resolve(hub.join(identity)), close });
});

const test = suite("hub");

/** Joins, and notes what comes with the time it came. */
function listen(
  hub: Hub,
  identity: string,
  now: () => number = () => 0,
): { transport: Transport; events: string[]; times: number[] } {
  const transport = hub.join(identity);
  const events: string[] = [];
  const times: number[] = [];
  const note = (event: string): void => {
    events.push(event);
    times.push(now());
  };
  transport.open({
    packet: (packet, from) => note(`${from}: ${describe(packet)}`),
    joined: (other) => note(`joined ${other}`),
    left: (other) => note(`left ${other}`),
    closed: (error) => note(`closed ${(error as StreamError | undefined)?.code}`),
  });
  return { transport, events, times };
}

/** Sends chunks of these sizes over a link, all at once, and returns what came, with the times. */
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

test("law: no packet comes before its delay and its time on the line", async () => {
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

test("law: the same seed and traffic have the same history", async () => {
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

test("law: a faulty link delivers nothing that was not sent, and nothing more than twice", async () => {
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

test("each fault of a faulty link happens as often as asked for", async () => {
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

test("a link passes as many bytes as its rate allows, no more and no less", async () => {
  for (const rate of [20_000, 1_000_000, 50_000_000]) {
    const list = Array.from({ length: 200 }, () => 15_000);
    const { times } = await history({ kind: "reliable", delay: 40, rate, queue: 60_000 }, list, 1);
    const took = (times[199] ?? 0) - 40;
    const measured = (200 * 15_000) / (took / 1_000);
    assert.ok(Math.abs(measured / rate - 1) < 0.001, `Rate ${rate}, measured ${measured}`);
  }
});

test("a link can be lossy, and is slower then", async () => {
  const list = Array.from({ length: 200 }, () => 1_000);
  const good = await history({ kind: "reliable", delay: 20, rate: 1_000_000 }, list, 1);
  const bad = await history({ kind: "reliable", delay: 20, rate: 1_000_000, loss: 0.05, retransmission: 100 }, list, 1);
  assert.equal(bad.events, good.events);
  assert.ok((bad.times[100] ?? 0) > (good.times[100] ?? 0) + 50);
});

test("send resolves when the link's queue has room, not before and not much later", async () => {
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

test("who waits for a link's queue is released when the recipient leaves", async () => {
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

test("the bytes of a packet on a link are its own", async () => {
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

test("a pair's own line counts before the participants', theirs before the hub's, and it can change under way", async () => {
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

test("law: nothing arrives after part until heal, and all after it", async () => {
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

test("a line can be parted one way only", async () => {
  const hub = createHub();
  const [alice, bob] = [listen(hub, "alice"), listen(hub, "bob")];
  hub.part("alice", "bob", { oneWay: true });
  await alice.transport.send(control("lost"));
  await bob.transport.send(control("found"));
  assert.equal(bob.events, []);
  assert.equal(alice.events, ["joined bob", "bob: control found"]);
});

test("nothing goes to or from a frozen participant; after it thaws all of it does, in order", async () => {
  const hub = createHub();
  const [alice, bob] = [listen(hub, "alice"), listen(hub, "bob")];
  await alice.transport.send(control("1"));
  hub.freeze("bob");
  const bytes = new Uint8Array(100);
  await alice.transport.send(control("2"), ["bob"]);
  await alice.transport.send(chunk("s", 0, bytes));
  await bob.transport.send(chunk("s", 1, bytes));
  await bob.transport.send(control("a"));
  hub.join("carol");
  await alice.transport.send(control("3"));
  assert.equal(bob.events, ["alice: control 1"]);
  assert.equal(alice.events, ["joined bob", "joined carol"]);
  const queued = alice.transport.send(control("4"));
  hub.thaw("bob");
  await Promise.all([queued, alice.transport.send(control("5")), bob.transport.send(control("b"))]);
  assert.equal(
    bob.events,
    ["1", "2", "", "joined carol", "3", "4", "5"].map((text) =>
      text === "" ? "alice: chunk s 0 100" : text.startsWith("j") ? text : `alice: control ${text}`
    ),
  );
  assert.equal(alice.events.slice(2), ["bob: chunk s 1 100", "bob: control a", "bob: control b"]);
});

test("a frozen participant's buffers are bounded: what it sends waits, what is sent to it is lost", async () => {
  const hub = createHub();
  const [alice, bob] = [listen(hub, "alice"), listen(hub, "bob")];
  hub.freeze("bob");
  const bytes = new Uint8Array(60_000);
  for (let index = 0; index < 100; index++) await alice.transport.send(chunk("s", index, bytes));
  let sent = 0;
  const sends = Array.from({ length: 100 }, (_, index) => bob.transport.send(chunk("s", index, bytes)).then(() => sent++));
  await alice.transport.send(control("then"), ["bob"]);
  const kept = Math.floor(4 * 1024 * 1024 / 60_000);
  assert.is(sent, kept);
  hub.thaw("bob");
  await Promise.all(sends);
  await alice.transport.send(control("after"), ["bob"]);
  assert.is(bob.events.filter((event) => event.includes("chunk")).length, kept);
  assert.is(bob.events.at(-1), "alice: control after");
  assert.equal(alice.events.slice(1), Array.from({ length: 100 }, (_, index) => `bob: chunk s ${index} 60000`));
});

test("who vanishes is silent at once, and has left for the others when it is noticed", async () => {
  const time = new VirtualTime();
  const hub = createHub({ clock: time, link: { kind: "reliable", delay: 10 } });
  const [alice, bob] = [listen(hub, "alice", () => time.now()), listen(hub, "bob")];
  await time.run(bob.transport.send(control("under way")));
  hub.vanish("bob", { toldAfter: 500 });
  await time.run(bob.transport.send(control("never sent")));
  await time.run(alice.transport.send(control("never received")));
  assert.equal(alice.transport.participants(), ["bob"]);
  await time.advance(1_000);
  assert.equal(alice.events, ["joined bob", "left bob"]);
  assert.equal(alice.times, [0, 500]);
  assert.equal(bob.events, ["closed disconnected"]);
  assert.is(await codeOf(bob.transport.send(control("late"))), "disconnected");
  assert.is(time.pending, 0);
});

test("who vanished can come back under its name, before and after it was missed", async () => {
  const time = new VirtualTime();
  const hub = createHub({ clock: time });
  const alice = listen(hub, "alice");
  listen(hub, "bob");
  hub.vanish("bob", { toldAfter: 500 });
  const second = listen(hub, "bob");
  await time.run(second.transport.send(control("back")));
  await time.advance(1_000);
  assert.equal(alice.events, ["joined bob", "left bob", "joined bob", "bob: control back"]);
  assert.equal(second.events, []);
  hub.vanish("bob");
  await time.advance(0);
  const third = listen(hub, "bob");
  await time.run(third.transport.send(control("again")));
  assert.equal(alice.events.slice(4), ["left bob", "joined bob", "bob: control again"]);
  assert.equal(hub.identities, ["alice", "bob"]);
});

test("a transport closed before it was opened is told so when it is", async () => {
  const hub = createHub();
  const first = hub.join("bob");
  const second = listen(hub, "bob");
  await second.transport.send(control("anything"));
  const codes: (string | undefined)[] = [];
  first.open({ packet() {}, joined() {}, left() {}, closed: (error) => codes.push((error as StreamError).code) });
  assert.equal(codes, []);
  await second.transport.send(control("anything"));
  assert.equal(codes, ["disconnected"]);
});

test("wrong arguments are refused", async () => {
  const hub = createHub();
  const refused = (call: () => unknown): void => {
    assert.throws(call, (error: unknown) => error instanceof StreamError && error.code === "invalid-argument");
  };
  for (const identity of ["", 1, null, undefined, {}]) refused(() => hub.join(identity as string));
  for (const name of ["freeze", "thaw", "vanish"] as const) refused(() => hub[name]("nobody"));
  const wrong = [
    null,
    1,
    {},
    { kind: "other" },
    { kind: "reliable", delay: -1 },
    { kind: "reliable", delay: Infinity },
    { kind: "reliable", loss: 1 },
    { kind: "reliable", rate: 0 },
    { kind: "reliable", rate: 1, queue: { ms: "1" } },
    { kind: "faulty", lose: 1.1 },
    { kind: "faulty", repeat: NaN },
  ];
  for (const link of wrong) refused(() => createHub().link("a", "b", link as LinkOptions));
  refused(() => createHub({ link: { kind: "reliable", delay: NaN } }));
  refused(() => hub.join("alice", { link: { kind: "faulty", lose: -1 } }));
  const transport = listen(hub, "alice").transport;
  refused(() => transport.open({ packet() {}, joined() {}, left() {}, closed() {} }));
  for (const packet of [{ type: "other" }, { type: "chunk" }, { type: "control", payload: "text" }]) {
    assert.is(await codeOf(transport.send(packet as Packet)), "transport");
  }
});

test("200 participants who all speak to all, on plain and on simulated lines", async () => {
  for (const link of [undefined, { kind: "reliable", delay: 5, rate: 1_000_000 } as const]) {
    const time = new VirtualTime();
    const hub = createHub({ clock: time, ...(link && { link }) });
    const members = Array.from({ length: 200 }, (_, index) => listen(hub, `p${index}`));
    await time.run(Promise.all(members.map(({ transport }) => transport.send(control("hi")))));
    await time.advance(10);
    for (const { events } of members) assert.is(events.filter((event) => event.endsWith(": control hi")).length, 199);
    await time.run(Promise.all(members.map(({ transport }) => transport.close())));
    assert.equal(hub.identities, []);
    assert.ok(hub.idle);
    assert.is(time.pending, 0);
  }
});

test("endless traffic does not hold the event loop", async () => {
  const hub = createHub();
  const [alice, bob] = [hub.join("alice"), hub.join("bob")];
  let open = true;
  let packets = 0;
  const answer = (transport: Transport) => (packet: Packet): void => {
    packets++;
    if (open) void transport.send(packet);
  };
  alice.open({ packet: answer(alice), joined() {}, left() {}, closed() {} });
  bob.open({ packet: answer(bob), joined() {}, left() {}, closed() {} });
  const longest = await drift(100, () => void alice.send(chunk("s", 0, new Uint8Array(100))));
  open = false;
  assert.ok(packets > 1_000, `Only ${packets} packets`);
  assert.ok(longest < 50, `Held for ${longest} ms`);
  await alice.close();
  await bob.close();
});

/** The most by which a 5 ms interval was late while it ran for so long, in ms. */
function drift(ms: number, start: () => void): Promise<number> {
  return new Promise((resolve) => {
    const began = performance.now();
    let last = began;
    let longest = 0;
    const timer = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - last - 5);
      last = now;
      if (now - began < ms) return;
      clearInterval(timer);
      resolve(longest);
    }, 5);
    start();
  });
}

test.run();
