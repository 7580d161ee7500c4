import type { Clock } from "../../common/clock.ts";
import { nowOf } from "../../common/clock.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import type { LinkPlan } from "./link_options.ts";
import { copyPacket, packetBytes } from "../packet_size.ts";
import type { Random } from "./random.ts";

/** Rounding error of summed fractions, in ms. */
const ROUNDING_MS = 1e-6;

/** Value that is due at a time of the clock. */
interface Due<T> {
  readonly at: number;
  readonly value: T;
}

/** Environment of a link. */
export interface LinkInput {
  readonly plan: LinkPlan;
  readonly random: Random;
  readonly clock: Clock;
  /** Delivers a packet at its time of arrival. */
  readonly arrive: (packet: Packet) => void;
}

/** Simulated link in one direction: a queue, a line with a rate, and a delay. */
export class Link {
  readonly #input: LinkInput;
  #plan: LinkPlan;
  /** Time when the queue is empty. */
  #freeAt = 0;
  #lastArrival = 0;
  /** Packets in order of arrival; those before `#head` have arrived. */
  #inFlight: Due<Packet>[] = [];
  #head = 0;
  /** Senders that wait for room, in order. */
  #waiters: Due<() => void>[] = [];
  #idlers: (() => void)[] = [];
  #timer: unknown;
  #timerAt = Infinity;

  constructor(input: LinkInput) {
    this.#input = input;
    this.#plan = input.plan;
  }

  /** Changes the plan of later packets. */
  change(plan: LinkPlan): void {
    this.#plan = plan;
  }

  /** Sends a packet. The promise, if there is one, resolves when the queue has room for more. */
  send(packet: Packet): Promise<void> | undefined {
    const now = nowOf(this.#input.clock);
    this.#freeAt = Math.max(this.#freeAt, now) + packetBytes(packet) / this.#plan.rate;
    const copy = copyPacket(packet);
    for (const delay of this.#plan.delays(this.#input.random)) {
      const at = Math.max(this.#freeAt + delay, this.#plan.ordered ? this.#lastArrival : 0);
      this.#lastArrival = Math.max(this.#lastArrival, at);
      this.#insert({ at, value: copy });
    }
    this.#arm();
    const roomAt = this.#freeAt - this.#plan.queueMs;
    if (roomAt <= now + ROUNDING_MS || this.#plan.rate === Infinity) return undefined;
    return new Promise((resolve) => {
      this.#waiters.push({ at: roomAt, value: resolve });
      this.#arm();
    });
  }

  /** Drops all packets in flight. */
  cut(): void {
    this.#inFlight = [];
    this.#head = 0;
    this.#freeAt = 0;
    this.#lastArrival = 0;
    for (const waiter of this.#waiters.splice(0)) waiter.value();
    this.#arm();
    this.#settleIdle();
  }

  /** Resolves when no packet is in flight. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idlers.push(resolve);
      this.#settleIdle();
    });
  }

  #settleIdle(): void {
    if (this.#head < this.#inFlight.length) return;
    for (const idler of this.#idlers.splice(0)) idler();
  }

  #insert(due: Due<Packet>): void {
    let at = this.#inFlight.length;
    while (at > this.#head && (this.#inFlight[at - 1]?.at ?? 0) > due.at) at--;
    if (at === this.#inFlight.length) this.#inFlight.push(due);
    else this.#inFlight.splice(at, 0, due);
  }

  /** Sets the one timer to the next arrival or the next room in the queue. */
  #arm(): void {
    const next = Math.min(this.#inFlight[this.#head]?.at ?? Infinity, this.#waiters[0]?.at ?? Infinity);
    if (next === this.#timerAt) return;
    if (this.#timerAt !== Infinity) this.#input.clock.clearTimeout(this.#timer);
    this.#timerAt = next;
    if (next === Infinity) return;
    this.#timer = this.#input.clock.setTimeout(() => this.#wake(), Math.max(0, next - nowOf(this.#input.clock)));
  }

  #wake(): void {
    this.#timerAt = Infinity;
    const now = nowOf(this.#input.clock) + ROUNDING_MS;
    for (let due = this.#inFlight[this.#head]; due !== undefined && due.at <= now; due = this.#inFlight[this.#head]) {
      this.#head++;
      this.#input.arrive(due.value);
    }
    if (this.#head > 1_000 || this.#head === this.#inFlight.length) {
      this.#inFlight.splice(0, this.#head);
      this.#head = 0;
    }
    const ready = this.#waiters.findIndex((waiter) => waiter.at > now);
    for (const waiter of this.#waiters.splice(0, ready === -1 ? this.#waiters.length : ready)) waiter.value();
    this.#arm();
    this.#settleIdle();
  }
}
