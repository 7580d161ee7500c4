import * as assert from "uvu/assert";
import { ACK_DELAY, CongestionController } from "../../protocol/flow/congestion.ts";
import type { SentPacket } from "../../protocol/flow/delivery_rate.ts";
import { InFlight } from "../../protocol/flow/in_flight.ts";
import { suite } from "../support/harness.ts";

const test = suite("CongestionController");

const CHUNK = 15_000;

/** A line with a rate (bytes in a ms) and a round trip, which acknowledges each chunk on arrival. */
class Line {
  readonly window = new CongestionController();
  now = 0;
  rate: number;
  roundTrip: number;
  #free = 0;
  #flight: { packet: SentPacket; back: number }[] = [];
  delivered = 0;

  constructor(rate: number, roundTrip: number) {
    this.rate = rate;
    this.roundTrip = roundTrip;
  }

  /** Bytes queued at the line. */
  get queued(): number {
    return Math.max(0, this.#free - this.now) * this.rate;
  }

  /** Acknowledges everything in flight. */
  drain(): void {
    for (const { packet, back } of this.#flight.splice(0)) {
      this.now = Math.max(this.now, back);
      this.window.acknowledge([packet], this.now);
    }
  }

  /** Sends as much as allowed for some ms; `late` delays an acknowledgement. */
  run(ms: number, late: (now: number) => number = () => 0): void {
    for (const until = this.now + ms; this.now < until; this.now++) {
      while (this.#flight[0] !== undefined && this.#flight[0].back <= this.now) {
        const [{ packet }] = this.#flight.splice(0, 1) as [{ packet: SentPacket; back: number }];
        this.delivered += packet.bytes;
        this.window.acknowledge([packet], this.now);
      }
      while (this.window.canSend) {
        this.#free = Math.max(this.#free, this.now) + CHUNK / this.rate;
        const back = Math.max(this.#free + this.roundTrip + late(this.now), this.#flight.at(-1)?.back ?? 0);
        this.#flight.push({ packet: this.window.send(CHUNK, this.now), back });
      }
    }
  }
}

test("CongestionController: finds a line's rate and round trip, and keeps little more than that in flight", () => {
  const line = new Line(1_000, 80);
  line.run(5_000);
  assert.ok(Math.abs(line.window.rate - 1_000) < 100, `rate ${line.window.rate}`);
  assert.ok(line.window.leastRoundTrip >= 80 && line.window.leastRoundTrip <= 100);
  assert.ok(line.window.window < 1.5 * 1_000 * (95 + ACK_DELAY) + CHUNK, `window ${line.window.window}`);
  line.delivered = 0;
  let waited = 0;
  for (let ms = 0; ms < 5_000; ms++) {
    line.run(1);
    waited += line.queued / line.rate / 5_000;
  }
  assert.ok(line.delivered >= 0.95 * 5_000 * 1_000, `delivered ${line.delivered}`);
  assert.ok(waited <= 60, `what is sent beside it waits ${waited.toFixed(0)} ms`);
});

test("CongestionController: late acknowledgements of a busy machine do not starve a sender", () => {
  const line = new Line(3_000, 4);
  let state = 7;
  const late = (): number => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    return (state >> 8) % 40 === 0 ? 120 : (state >> 8) % 25; // the low bits of such a state take turns
  };
  line.run(2_000, late);
  line.delivered = 0;
  line.run(10_000, late);
  assert.ok(line.delivered >= 0.6 * 10_000 * 3_000, `delivered ${line.delivered} of ${10_000 * 3_000}`); // one in forty holds all up for 120 ms
});

test("CongestionController: start-up ends before a shallow line has a deep queue", () => {
  const line = new Line(1_000, 80);
  let deepest = 0;
  for (let ms = 0; ms < 3_000; ms++) {
    line.run(1);
    deepest = Math.max(deepest, line.queued);
  }
  assert.ok(deepest <= 180_000, `${deepest} bytes in the queue`);
});

test("CongestionController: a line that slows down has its queue drained; one that speeds up is used", () => {
  const line = new Line(2_000, 40);
  line.run(3_000);
  line.rate = 200;
  line.run(8_000);
  assert.ok(line.queued <= 0.35 * 1_000 * 200, `${line.queued} bytes in the queue`);
  line.rate = 2_000;
  line.run(8_000);
  line.delivered = 0;
  line.run(2_000);
  assert.ok(line.delivered >= 0.85 * 2_000 * 2_000, `delivered ${line.delivered}`);
});

test("CongestionController: does not take its own standing queue for propagation delay", () => {
  const line = new Line(500, 60);
  line.run(60_000);
  assert.ok(line.window.leastRoundTrip <= 60 + 2 * CHUNK / 500, `least round trip ${line.window.leastRoundTrip}`);
  assert.ok(line.queued <= 500 * 200, `${line.queued} bytes in the queue`);
});

test("CongestionController: the smallest window is a few chunks, whatever was measured", () => {
  const line = new Line(20, 0);
  line.run(30_000);
  assert.ok(line.window.window >= CHUNK, `window ${line.window.window}`);
  assert.ok(line.delivered >= 0.9 * 20 * 30_000, `delivered ${line.delivered}`);
});

test("CongestionController: measurements expire when idle", () => {
  const line = new Line(10_000, 50);
  line.run(3_000);
  const before = line.window.window;
  assert.ok(before > 500_000, `window ${before}`);
  line.drain();
  const { window } = line;
  assert.is(window.inFlight, 0);
  window.send(CHUNK, line.now + 4_000);
  assert.ok(window.window > 500_000, "a short pause changes nothing");
  const idle = new Line(10_000, 50);
  idle.run(3_000);
  idle.drain();
  idle.window.send(CHUNK, idle.now + 6_000);
  assert.ok(idle.window.window <= 4 * CHUNK, `window ${idle.window.window}`);
});

test("CongestionController: without acknowledgements, chunks in flight count as lost and few are probed", () => {
  const window = new CongestionController();
  const packets = [window.send(CHUNK, 0), window.send(CHUNK, 0)];
  assert.is(window.inFlight, 2 * CHUNK);
  window.expire(1_999);
  assert.is(window.inFlight, 2 * CHUNK);
  assert.is(window.lossAt, 2_000);
  window.expire(2_000);
  assert.is(window.inFlight, 0);
  assert.is(window.lossAt, Infinity);
  assert.ok(window.window <= 2 * CHUNK);
  window.acknowledge(packets, 3_000); // they come after all, and are counted once
  assert.is(window.inFlight, 0);
  window.forget(packets);
  assert.is(window.inFlight, 0);
});

test("CongestionController: ignores acknowledgements of nothing, and of forgotten sends", () => {
  const window = new CongestionController();
  window.acknowledge([], 0);
  const packet = window.send(CHUNK, 0);
  window.forget([packet]);
  assert.is(window.inFlight, 0);
  assert.ok(window.canSend);
});

test("InFlight: counts chunks once, ignores forged acknowledgements, and empties", () => {
  const window = new CongestionController();
  const flight = new InFlight(window);
  for (let index = 0; index < 4; index++) flight.noteSent(CHUNK, index);
  flight.acknowledge(2, 10);
  assert.is(window.inFlight, 2 * CHUNK);
  flight.acknowledge(1, 11); // an older one
  flight.acknowledge(2, 12); // again
  flight.acknowledge(7, 13); // more than were sent
  assert.is(window.inFlight, 2 * CHUNK);
  flight.abandon();
  flight.abandon();
  assert.is(window.inFlight, 0);
  flight.noteSent(CHUNK, 20);
  flight.acknowledge(5, 21);
  assert.is(window.inFlight, 0);
});

test.run();
