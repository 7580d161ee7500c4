// How far a sender may go: credit, in absolute offsets of plain bytes, as QUIC's MAX_STREAM_DATA and MAX_DATA. Pure arithmetic.
import { LEAST_WINDOW, STREAM_CHUNK_SIZE } from "../constants.ts";
import type { Limits } from "../limits.ts";

/**
 * Bytes that a stream at an offset has used of the credit that all streams between two participants share. Its first chunk is free: unread
 * bulk must not shut out a chat message.
 */
export function sharedUse(offset: number): number {
  return Math.max(0, offset - STREAM_CHUNK_SIZE);
}

/** The sender's side of the credit shared by all streams to one receiver. */
export class ConnectionSendWindow {
  #limit: number;
  #used = 0;

  constructor(limit: number = LEAST_WINDOW) {
    this.#limit = limit;
  }

  /** Whether a stream may go from one offset to another. */
  allows(from: number, to: number): boolean {
    return this.#used + sharedUse(to) - sharedUse(from) <= this.#limit;
  }

  use(from: number, to: number): void {
    this.#used += sharedUse(to) - sharedUse(from);
  }

  /** Credit is never taken back, so that a packet that comes late does no harm. */
  raise(limit: number): boolean {
    if (limit <= this.#limit) return false;
    this.#limit = limit;
    return true;
  }
}

/** Memory that a receiver has promised to all senders together. */
export class ReceiveBudget {
  readonly #limits: Limits;
  #promised = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get promised(): number {
    return this.#promised;
  }

  /** As many bytes as are left, of those wanted. */
  take(wanted: number): number {
    const granted = Math.max(0, Math.min(wanted, this.#limits.totalWindow - this.#promised));
    this.#promised += granted;
    return granted;
  }

  /** Bytes promised beyond the total: each sender's own minimum. */
  takeAtLeast(least: number, wanted: number): number {
    const granted = this.take(wanted);
    if (granted >= least) return granted;
    this.#promised += least - granted;
    return least;
  }

  giveBack(bytes: number): void {
    this.#promised -= bytes;
  }
}

/** The receiver's side of the credit shared by all streams from one sender. */
export class ConnectionReceiveWindow {
  readonly #budget: ReceiveBudget;
  readonly #limits: Limits;
  /** Credit that is outstanding whenever nothing is unread, in bytes: a frame of a quarter of it always fits. */
  readonly floor: number;
  #limit: number;
  #consumed = 0;
  #received = 0;
  #closed = false;

  constructor(limits: Limits, budget: ReceiveBudget) {
    this.#limits = limits;
    this.#budget = budget;
    const wanted = Math.min(limits.receiveWindow, limits.senderWindow);
    this.floor = budget.takeAtLeast(Math.min(LEAST_WINDOW, wanted), wanted);
    this.#limit = this.floor;
  }

  /** Offset that the sender is told. */
  get limit(): number {
    return this.#limit;
  }

  /** Bytes that have come and wait for readers, first chunks not counted. */
  get held(): number {
    return this.#received - this.#consumed;
  }

  /** Whether there was credit for a stream to go from one offset to another. */
  allows(from: number, to: number): boolean {
    return this.#received + sharedUse(to) - sharedUse(from) <= this.#limit;
  }

  /** How far a stream that was charged up to an offset could have gone. */
  reach(from: number): number {
    return Math.max(from, STREAM_CHUNK_SIZE) + Math.max(0, this.#limit - this.#received);
  }

  /** A stream goes from one offset to another; back, if less came than was counted on. */
  receive(from: number, to: number): void {
    this.#received += sharedUse(to) - sharedUse(from);
  }

  /** A stream's bytes from one offset to another were taken, or dropped. */
  consume(from: number, to: number): void {
    const before = this.#reserved();
    this.#consumed += sharedUse(to) - sharedUse(from);
    this.#budget.giveBack(before - this.#reserved());
  }

  /** Raises the limit for open windows of `wanted` bytes in all, as far as the budget allows. Returns true if the limit rose. */
  open(wanted: number): boolean {
    if (this.#closed) return false;
    const outstanding = this.#limit - this.#consumed;
    const target = Math.min(Math.max(wanted, this.floor), Math.max(this.#limits.senderWindow, this.floor));
    if (outstanding >= target) return false;
    const reserved = Math.max(outstanding, this.floor);
    this.#limit = this.#consumed + reserved + this.#budget.take(target - reserved);
    return true;
  }

  /** Ends the sender's credit. Its unread bytes stay charged until they are read. */
  close(): void {
    if (this.#closed) return;
    const before = this.#reserved();
    this.#closed = true;
    this.#budget.giveBack(before - this.#reserved());
  }

  /** Bytes of the budget that this sender holds: outstanding credit, at least the floor; after `close`, its unread bytes. */
  #reserved(): number {
    if (this.#closed) return Math.max(0, this.held);
    return Math.max(this.floor, this.#limit - this.#consumed);
  }
}
