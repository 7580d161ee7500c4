import * as assert from "uvu/assert";
import { PacketScheduler } from "../../actors/common/packet_scheduler.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import type { Transport } from "../../transports/transport.ts";
import { control, describe } from "../support/conformance/transport.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";
import { VirtualTime } from "../support/hub/virtual_time.ts";

const test = suite("PacketScheduler");

/** A transport that takes a packet when the test says so. */
class Gate implements Transport {
  readonly identity = "alice";
  readonly direct: boolean;
  readonly given: string[] = [];
  readonly #settle: ((error?: Error) => void)[] = [];

  constructor(direct = false) {
    this.direct = direct;
  }

  participants(): readonly string[] {
    return [];
  }

  open(): void {}

  send(packet: Packet): Promise<void> {
    this.given.push(describe(packet));
    return new Promise((resolve, reject) => this.#settle.push((error) => error === undefined ? resolve() : reject(error)));
  }

  /** Completes the packet that is being sent. */
  async take(error?: Error): Promise<void> {
    this.#settle.shift()?.(error);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function setUp(direct = false): { gate: Gate; scheduler: PacketScheduler; time: VirtualTime; chunk: typeof chunk } {
  const gate = new Gate(direct);
  const time = new VirtualTime();
  const scheduler = new PacketScheduler(gate, time);
  function chunk(name: string, ready: () => boolean = () => true): Promise<void> {
    return scheduler.scheduleBulk({
      ready,
      start: () => scheduler.sendNow({ type: "chunk", streamId: name, index: 0, content: new Uint8Array(1) }, ["bob"]),
    });
  }
  return { gate, scheduler, time, chunk };
}

test("PacketScheduler: sends one packet at a time, urgent before bulk, bulk streams in turn", async () => {
  const { gate, scheduler, chunk } = setUp();
  const sent = [
    chunk("a"),
    chunk("b"),
    scheduler.sendUrgent(control("1"), ["bob"]),
    chunk("c"),
    scheduler.sendUrgent(control("2"), ["bob"]),
  ];
  assert.equal(gate.given, ["chunk a 0 1"]);
  for (let count = 0; count < 5; count++) await gate.take();
  assert.equal(gate.given, ["chunk a 0 1", "control 1", "control 2", "chunk b 0 1", "chunk c 0 1"]);
  await Promise.all(sent);
});

test("PacketScheduler: a chunk whose receiver is full lets others pass, and is sent when there is room", async () => {
  const { gate, scheduler, chunk } = setUp();
  let room = false;
  const sent = [chunk("full", () => room), chunk("free")];
  assert.equal(gate.given, ["chunk free 0 1"]);
  await gate.take();
  assert.equal(gate.given.length, 1);
  room = true;
  scheduler.wake();
  await gate.take();
  await Promise.all(sent);
  assert.equal(gate.given, ["chunk free 0 1", "chunk full 0 1"]);
});

test("PacketScheduler: polls waiting chunks without being woken", async () => {
  const { gate, time, chunk } = setUp();
  let room = false;
  const sent = chunk("a", () => room);
  room = true;
  await time.advance(1_000);
  assert.equal(gate.given, ["chunk a 0 1"]);
  await gate.take();
  await sent;
  assert.is(time.pending, 0);
});

test("PacketScheduler: bulk keeps a share beside endless urgent chunks", async () => {
  const { gate, scheduler, chunk } = setUp();
  const sent: Promise<void>[] = [];
  const urgent = (): void => {
    sent.push(scheduler.sendUrgent({ type: "chunk", streamId: "u", index: 0, content: new Uint8Array(15_000) }, ["bob"]));
  };
  urgent();
  for (let count = 0; count < 50; count++) {
    urgent();
    sent.push(chunk("bulk"));
  }
  for (let count = 0; count < 40; count++) await gate.take();
  const bulk = gate.given.filter((what) => what.startsWith("chunk bulk")).length;
  assert.ok(bulk >= 3 && bulk <= 5, `${bulk} of 40`);
  for (let count = 0; count < 70; count++) await gate.take();
  await Promise.all(sent);
});

test("PacketScheduler: an aborted chunk takes no turn, and a failed one fails only its own stream", async () => {
  const { gate, scheduler, chunk } = setUp();
  const failing = rejection(() => scheduler.sendUrgent(control("1"), ["bob"]), "transport").catch(() => {});
  const dropped = scheduler.scheduleBulk({ ready: () => true, start: () => undefined });
  const last = chunk("last");
  await gate.take(new Error("lost"));
  await failing;
  await dropped;
  assert.equal(gate.given, ["control 1", "chunk last 0 1"]);
  await gate.take();
  await last;
});

test("PacketScheduler.flush() resolves when all urgent packets were sent", async () => {
  const { gate, scheduler } = setUp();
  void scheduler.sendUrgent(control("1"), ["bob"]);
  let flushed = false;
  void scheduler.flushed().then(() => void (flushed = true));
  await gate.take();
  await gate.take();
  assert.ok(flushed);
});

test("PacketScheduler: gives a direct transport all packets at once", () => {
  const { gate, scheduler } = setUp(true);
  assert.not(scheduler.isPaced);
  void scheduler.sendUrgent(control("1"), ["bob"]);
  void scheduler.sendUrgent(control("2"), ["bob"]);
  assert.equal(gate.given, ["control 1", "control 2"]);
});

test.run();
