import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { StreamError } from "../../errors.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import type { LinkOptions } from "../../transports/hub/link_options.ts";
import { createHub } from "../../transports/hub/hub.ts";
import type { Transport } from "../../transports/transport.ts";
import { chunk, codeOf, control, transportConformance } from "../support/conformance/transport.ts";
import { suite } from "../support/harness.ts";
import { listen } from "../support/hub/hub_members.ts";
import { VirtualTime } from "../support/hub/virtual_time.ts";

transportConformance("hub", () => {
  const hub = createHub();
  return Promise.resolve({ join: (identity) => Promise.resolve(hub.join(identity)), close: () => Promise.resolve() });
});

transportConformance("hub with bad but reliable links", () => {
  const time = new VirtualTime();
  const hub = createHub({ clock: time, link: { kind: "reliable", delay: 7, rate: 1_000_000, queue: 20_000, loss: 0.1 } });
  let open = true;
  const passing = (async () => {
    // Bound that ends a failing test.
    for (let step = 0; open && step < 100_000; step++) await time.advance(1);
  })();
  const close = async (): Promise<void> => {
    open = false;
    await passing;
  };
  return Promise.resolve({ join: (identity) => Promise.resolve(hub.join(identity)), close });
});

const test = suite("hub");

/** Number of packets after which endless traffic stops, so that a failing test ends. */
const ENDLESS = 1_000_000;

test("hub.part(): can cut a line in one direction only", async () => {
  const hub = createHub();
  const [alice, bob] = [listen(hub, "alice"), listen(hub, "bob")];
  hub.part("alice", "bob", { oneWay: true });
  await alice.transport.send(control("lost"));
  await bob.transport.send(control("found"));
  assert.equal(bob.events, []);
  assert.equal(alice.events, ["joined bob", "bob: control found"]);
});

test("hub.freeze(): nothing goes to or from a frozen participant; after thaw() everything does, in order", async () => {
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

test("hub.freeze(): buffers are bounded: sends of a frozen participant wait, packets to it are lost", async () => {
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

test("hub.vanish(): a participant is silent at once, and has left when that is noticed", async () => {
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

test("hub.vanish(): a participant may rejoin under its name, before and after it was missed", async () => {
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

test("hub: a transport closed before it was opened is told so when opened", async () => {
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

test("hub: wrong arguments are refused", async () => {
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

test("hub: 200 participants all speak to all, on plain and on simulated links", async () => {
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

test("hub: an exception of one participant's listener reaches its author, and the others get their packets", async () => {
  const hub = createHub();
  const alice = hub.join("alice");
  hub.join("bob").open({
    packet() {
      throw new Error("bob's own fault");
    },
    joined() {},
    left() {},
    closed() {},
  });
  const carol = listen(hub, "carol");
  const uncaught = new Promise((resolve) => process.once("uncaughtException", resolve));
  await alice.send(control("hi"));
  assert.equal(carol.events, ["alice: control hi"]);
  assert.match(String(await uncaught), "bob's own fault");
});

test("hub: endless traffic does not hold the event loop", async () => {
  const hub = createHub();
  const [alice, bob] = [hub.join("alice"), hub.join("bob")];
  let open = true;
  let packets = 0;
  const answer = (transport: Transport) => (packet: Packet): void => {
    packets++;
    if (open && packets < ENDLESS) void transport.send(packet);
  };
  alice.open({ packet: answer(alice), joined() {}, left() {}, closed() {} });
  bob.open({ packet: answer(bob), joined() {}, left() {}, closed() {} });
  void alice.send(chunk("s", 0, new Uint8Array(100)));
  for (let turns = 0; turns < 5; turns++) await wait(1); // how soon they come, the benchmark measures
  open = false;
  assert.ok(packets > 5 && packets < ENDLESS, `${packets} packets in 5 turns of timers`);
  await alice.close();
  await bob.close();
});

test.run();
