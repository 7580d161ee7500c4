// Receivers of a stream, and how far each of them lets it go. Pure: time is given in.
import { LEAST_WINDOW } from "../constants.ts";
import type { Receipt } from "../info.ts";
import { type Destination, type Outcome, RECEIPT_SHARE } from "./destination.ts";

/** Milliseconds a broadcast that has used up its first window waits for a receiver to say whether it has a handler. */
export const CLAIM_WAIT = 300;

/**
 * Milliseconds that a broadcast which is to be confirmed waits, once it was sent, for a receiver to say whether it has a handler. Each says
 * so as soon as the header has come: one who does not has left, or is not there yet.
 */
export const UNHEARD_WAIT = 2_000;

/**
 * Bytes for which a receiver must give credit, and which it must acknowledge, within `stallTimeout` of waiting, where others wait too: the
 * least window. With the default that is 2 kB a second; who is slower is left out.
 */
export const SHARED_FLOOR: number = LEAST_WINDOW;

/** All receivers of one stream. */
export class Destinations {
  readonly #all: Destination[];
  /** The sender named them; else it is a broadcast. */
  readonly isTargeted: boolean;
  readonly #listsRecipients: boolean;
  #active: Destination[];
  #names: readonly string[] | undefined;

  /** `listsRecipients`: packets carry the receivers' names, so that those who are left out get no more of them. */
  constructor(all: readonly Destination[], { isTargeted, listsRecipients }: { isTargeted: boolean; listsRecipients: boolean }) {
    this.#all = [...all];
    this.isTargeted = isTargeted;
    this.#listsRecipients = listsRecipients;
    this.#active = all.filter((destination) => destination.outcome === undefined);
  }

  get all(): readonly Destination[] {
    return this.#all;
  }

  /** One more receives it, to whom it was sent up to an offset. */
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

  /** Whom the next packet is for; undefined for everybody. */
  get names(): readonly string[] | undefined {
    if (!this.#listsRecipients) return undefined;
    return this.#names ??= this.#active.map((destination) => destination.identity);
  }

  find(identity: string): Destination | undefined {
    return this.all.find((destination) => destination.identity === identity);
  }

  /** It ended with one of them, which was sent to up to an offset. */
  settle(destination: Destination, outcome: Outcome, sent: number): void {
    destination.outcome ??= outcome;
    this.refresh(sent);
  }

  /** After outcomes were noted: those it ended with were sent to up to an offset. */
  refresh(sent: number): void {
    for (const destination of this.#active) if (destination.outcome !== undefined) destination.finish(sent);
    this.#active = this.#active.filter((destination) => destination.outcome === undefined);
    this.#names = undefined;
  }

  /** Destination whose lack of credit keeps bytes from being sent. Those whom a broadcast does not wait for are given to `leaveOut`. */
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

  /** Whether the ways to all that the stream waits for have room for a chunk. */
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

  /** Bytes in a millisecond that the slowest of the ways takes to those that the stream waits for; 0 if that is not known of each. */
  get rate(): number {
    let slowest = Infinity;
    for (const destination of this.#active) {
      if (this.#waitsFor(destination)) slowest = Math.min(slowest, destination.inFlight?.window.rate ?? 0);
    }
    return slowest === Infinity ? 0 : slowest;
  }

  /** The stream's next chunk goes to all that are left. */
  noteSent(bytes: number, now: number): void {
    for (const { inFlight } of this.#active) inFlight?.noteSent(bytes, now);
  }

  /** Bytes up to an offset are about to go to all that are left. Credit is used up at once, as other streams ask for the same. */
  charge(to: number): void {
    for (const destination of this.#active) destination.charge(to);
  }

  /** Nothing is sent to anybody past an offset. */
  finish(sent: number): void {
    for (const destination of this.#active) destination.finish(sent);
  }

  /** Destinations that have kept the sender waiting too long. */
  stalled(now: number, stallTimeout: number): Destination[] {
    return this.#active.filter((destination) => now >= this.#stallsAt(destination, stallTimeout));
  }

  /** When the next of them will have; undefined if none keeps it waiting. */
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

  /** Bytes of credit that make a wait good. */
  #floor(destination: Destination, sent: number): number {
    return this.#hasOthers(destination) ? SHARED_FLOOR : Math.ceil((sent - destination.taken) * RECEIPT_SHARE);
  }

  /** Whether a receiver that is waited for keeps others from going on. */
  #hasOthers(destination: Destination): boolean {
    return this.#active.some((other) => other !== destination && this.#waitsFor(other));
  }

  #stallsAt(destination: Destination, stallTimeout: number): number {
    const { patience: { since = Infinity }, ackPatience } = destination;
    return Math.min(since, ackPatience.since ?? Infinity) +
      (this.isUnheard(destination) ? Math.min(stallTimeout, UNHEARD_WAIT) : stallTimeout);
  }

  /** Destinations whose receipts the sender waits for. */
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
   * Why the stream cannot go on, if it cannot: the last of those it was for is gone. A broadcast goes on to nobody when they leave,
   * and ends when all that had a handler wanted no more.
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

  /** It sets the pace: of a broadcast only who has claimed it. */
  #waitsFor({ claim }: Destination): boolean {
    return this.isTargeted || claim === "claimed";
  }
}
