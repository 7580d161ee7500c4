// Receivers of a stream, and the credit of each. Pure: times are parameters, in ms.
import { LEAST_WINDOW } from "../constants.ts";
import type { Receipt } from "../info.ts";
import { type Destination, type Outcome, RECEIPT_SHARE } from "./destination.ts";

/** Longest wait of a broadcast for a receiver to say whether it has a handler, in ms, once the first window is used up. */
export const CLAIM_WAIT = 300;

/**
 * Longest wait of a confirmed broadcast, once it was sent, for a receiver to say whether it has a handler, in ms. A receiver says so when
 * the header comes: a silent one has left, or is not there yet.
 */
export const UNHEARD_WAIT = 2_000;

/**
 * Least progress of a receiver within `stallTimeout` of waiting, in bytes of credit and of acknowledgements, while other receivers wait
 * for it. With the default that is 2 kB/s; slower receivers are dropped.
 */
export const SHARED_FLOOR: number = LEAST_WINDOW;

/** All receivers of one stream. */
export class Destinations {
  readonly #all: Destination[];
  /** Whether the sender named the receivers; else the stream is a broadcast. */
  readonly isTargeted: boolean;
  readonly #listsRecipients: boolean;
  #active: Destination[];
  #names: readonly string[] | undefined;

  /** `listsRecipients`: packets carry the receivers' identities, so that dropped receivers get no more of them. */
  constructor(all: readonly Destination[], { isTargeted, listsRecipients }: { isTargeted: boolean; listsRecipients: boolean }) {
    this.#all = [...all];
    this.isTargeted = isTargeted;
    this.#listsRecipients = listsRecipients;
    this.#active = all.filter((destination) => destination.outcome === undefined);
  }

  get all(): readonly Destination[] {
    return this.#all;
  }

  /** Adds a receiver that was sent to up to an offset. */
  add(destination: Destination, sent: number): void {
    destination.charge(sent);
    this.#all.push(destination);
    this.#active.push(destination);
    this.#names = undefined;
  }

  /** Destinations with which the stream has not ended. */
  get active(): readonly Destination[] {
    return this.#active;
  }

  /** Identities that the next packet is for; undefined for everybody. */
  get names(): readonly string[] | undefined {
    if (!this.#listsRecipients) return undefined;
    return this.#names ??= this.#active.map((destination) => destination.identity);
  }

  find(identity: string): Destination | undefined {
    return this.all.find((destination) => destination.identity === identity);
  }

  /** Notes how the stream ended for a receiver, which was sent to up to an offset. */
  settle(destination: Destination, outcome: Outcome, sent: number): void {
    destination.outcome ??= outcome;
    this.refresh(sent);
  }

  /** Drops the receivers that have an outcome; they were sent to up to an offset. */
  refresh(sent: number): void {
    for (const destination of this.#active) if (destination.outcome !== undefined) destination.finish(sent);
    this.#active = this.#active.filter((destination) => destination.outcome === undefined);
    this.#names = undefined;
  }

  /** Finds a receiver whose lack of credit blocks the sender. Calls `leaveOut` with those a broadcast does not wait for. */
  blocker(from: number, to: number, now: number, leaveOut: (destination: Destination) => void): Destination | undefined {
    for (const destination of this.#active) {
      const { patience } = destination;
      if (destination.allows(from, to)) {
        patience.pause(now);
        continue;
      }
      patience.begin(now, destination.credit, this.#floor(destination, from));
      if (this.#waitsFor(destination)) return destination;
      if (destination.claim === "pending" && now - (patience.since ?? now) < CLAIM_WAIT) return destination;
      leaveOut(destination);
    }
    return undefined;
  }

  /** Whether the congestion windows of all receivers that the stream waits for have room for a chunk. */
  canSend(now: number): boolean {
    for (const destination of this.#active) {
      const { inFlight } = destination;
      if (inFlight === undefined || !this.#waitsFor(destination)) continue;
      inFlight.window.expire(now);
      if (!inFlight.window.canSend) {
        if (this.#hasOthers(destination)) destination.ackPatience.begin(now, inFlight.acknowledgedBytes, SHARED_FLOOR);
        return false;
      }
      if (!destination.ackPatience.progressed(inFlight.acknowledgedBytes)) destination.ackPatience.pause(now);
    }
    return true;
  }

  /** Delivery rate to the slowest receiver that the stream waits for, in bytes per ms; 0 unless all are measured. */
  get rate(): number {
    let slowest = Infinity;
    for (const destination of this.#active) {
      if (this.#waitsFor(destination)) slowest = Math.min(slowest, destination.inFlight?.window.rate ?? 0);
    }
    return slowest === Infinity ? 0 : slowest;
  }

  /** Notes that the next chunk is sent to all active receivers. */
  noteSent(bytes: number, now: number): void {
    for (const { inFlight } of this.#active) inFlight?.noteSent(bytes, now);
  }

  /** Uses credit of all active receivers up to an offset, before the bytes are sent: other streams share that credit. */
  charge(to: number): void {
    for (const destination of this.#active) destination.charge(to);
  }

  /** Ends the stream for all active receivers at an offset. */
  finish(sent: number): void {
    for (const destination of this.#active) destination.finish(sent);
  }

  /** Receivers that have kept the sender waiting too long. */
  stalled(now: number, stallTimeout: number): Destination[] {
    return this.#active.filter((destination) => now >= this.#stallsAt(destination, stallTimeout));
  }

  /** Time at which the next receiver will have; undefined if the sender waits for none. */
  nextStall(stallTimeout: number): number | undefined {
    const earliest = this.#active.reduce(
      (least, destination) => Math.min(least, this.#stallsAt(destination, stallTimeout)),
      Infinity,
    );
    return earliest === Infinity ? undefined : earliest;
  }

  /** Whether a receiver has not said whether it takes a broadcast. */
  isUnheard({ claim, isMillrace }: Destination): boolean {
    return !this.isTargeted && isMillrace && claim === "pending";
  }

  /** Bytes of progress that reset the waits for a receiver. */
  #floor(destination: Destination, sent: number): number {
    return this.#hasOthers(destination) ? SHARED_FLOOR : Math.ceil((sent - destination.taken) * RECEIPT_SHARE);
  }

  /** Whether other receivers are held up by a wait for this one. */
  #hasOthers(destination: Destination): boolean {
    return this.#active.some((other) => other !== destination && this.#waitsFor(other));
  }

  #stallsAt(destination: Destination, stallTimeout: number): number {
    const { patience: { since = Infinity }, ackPatience } = destination;
    return Math.min(since, ackPatience.since ?? Infinity) +
      (this.isUnheard(destination) ? Math.min(stallTimeout, UNHEARD_WAIT) : stallTimeout);
  }

  /** Receivers whose receipts the sender waits for. */
  get awaited(): Destination[] {
    return this.#active.filter(({ isMillrace, claim }) => isMillrace && (this.isTargeted || claim !== "unclaimed"));
  }

  /** Receipts of the Millrace receivers that were to confirm the stream. */
  receipts(): Receipt[] {
    const asked = this.all.filter(({ isMillrace, hadHandler }) => isMillrace && (this.isTargeted || hadHandler));
    return asked.map(({ identity, taken, outcome = "timeout" }) => ({
      identity,
      bytes: taken,
      ...(outcome === "done" ? {} : { error: outcome }),
    }));
  }

  /**
   * Receiver whose end is the stream's: the last one, once all are gone. A broadcast goes on when receivers leave, and fails when all
   * that had a handler have cancelled.
   */
  failedDestination(): Destination | undefined {
    if (this.isTargeted) return this.#active.length === 0 ? this.#last((outcome) => outcome !== "done") : undefined;
    const waiting = this.#active.some(({ isMillrace, claim }) => !isMillrace || claim !== "unclaimed");
    if (waiting) return undefined;
    return this.#last((outcome, { hadHandler }) => hadHandler && outcome !== "done" && outcome !== "disconnected");
  }

  #last(test: (outcome: Outcome, destination: Destination) => boolean): Destination | undefined {
    if (this.all.some(({ outcome }) => outcome === "done")) return undefined;
    return this.all.findLast((destination) => destination.outcome !== undefined && test(destination.outcome, destination));
  }

  /** Whether a receiver sets the pace: of a broadcast, only one that has claimed the stream. */
  #waitsFor({ claim }: Destination): boolean {
    return this.isTargeted || claim === "claimed";
  }
}
