import type { Clock } from "../../protocol/clock.ts";
import { nowOf } from "../../protocol/clock.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import type { LinkPlan } from "./link_options.ts";
import { copyPacket, packetBytes } from "../packet_size.ts";
import type { Random } from "./random.ts";

/** Rounding error of sums of fractions of a millisecond, in ms. */
const ROUNDING = 1e-6;

/** Something that is to happen at a time of the clock. */
interface Due<T> {
  readonly at: number;
  readonly what: T;
}

/** Environment of a link. */
export interface LinkInput {
  readonly plan: LinkPlan;
  readonly random: Random;
  readonly clock: Clock;
  /** Takes what has come through. Called by the clock. */
  readonly arrive: (packet: Packet) => void;
}

/** One direction between two participants: a line of some rate, the queue before it, and the way behind it. */
export class Link {
  readonly #input: LinkInput;
  #plan: LinkPlan;
  /** When the line has sent all that was given to it. */
  #free = 0;
  #lastArrival = 0;
  /** In order of arrival; those before #head have come. */
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

  /** Changes the line from here on; what is under way arrives as it would have. */
  change(plan: LinkPlan): void {
    this.#plan = plan;
  }

  /** Takes a packet. The promise, if there is one, resolves when the queue has room for more. */
  take(packet: Packet): Promise<void> | undefined {
    const now = nowOf(this.#input.clock);
    this.#free = Math.max(this.#free, now) + packetBytes(packet) / this.#plan.rate;
    const copy = copyPacket(packet);
    for (const delay of this.#plan.delays(this.#input.random)) {
      const at = Math.max(this.#free + delay, this.#plan.ordered ? this.#lastArrival : 0);
      this.#lastArrival = Math.max(this.#lastArrival, at);
      this.#fly({ at, what: copy });
    }
    this.#arm();
    const roomAt = this.#free - this.#plan.queueMs;
    if (roomAt <= now + ROUNDING || this.#plan.rate === Infinity) return undefined;
    return new Promise((resolve) => {
      this.#waiters.push({ at: roomAt, what: resolve });
      this.#arm();
    });
  }

  /** Loses all that is under way. */
  cut(): void {
    this.#inFlight = [];
    this.#head = 0;
    this.#free = 0;
    this.#lastArrival = 0;
    for (const waiter of this.#waiters.splice(0)) waiter.what();
    this.#arm();
    this.#tellIdle();
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idlers.push(resolve);
      this.#tellIdle();
    });
  }

  #tellIdle(): void {
    if (this.#head < this.#inFlight.length) return;
    for (const idler of this.#idlers.splice(0)) idler();
  }

  #fly(due: Due<Packet>): void {
    let at = this.#inFlight.length;
    while (at > this.#head && (this.#inFlight[at - 1]?.at ?? 0) > due.at) at--;
    if (at === this.#inFlight.length) this.#inFlight.push(due);
    else this.#inFlight.splice(at, 0, due);
  }

  /** Has the clock wake the link for whatever comes next; one timer at most. */
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
    const now = nowOf(this.#input.clock) + ROUNDING;
    for (let due = this.#inFlight[this.#head]; due !== undefined && due.at <= now; due = this.#inFlight[this.#head]) {
      this.#head++;
      this.#input.arrive(due.what);
    }
    if (this.#head > 1_000 || this.#head === this.#inFlight.length) {
      this.#inFlight.splice(0, this.#head);
      this.#head = 0;
    }
    const ready = this.#waiters.findIndex((waiter) => waiter.at > now);
    for (const waiter of this.#waiters.splice(0, ready === -1 ? this.#waiters.length : ready)) waiter.what();
    this.#arm();
    this.#tellIdle();
  }
}
