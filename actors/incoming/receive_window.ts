import type { Clock } from "../../protocol/clock.ts";
import type { SenderWindow } from "../../protocol/flow/credit.ts";

/** Milliseconds after which even little that was taken is told of, so that a sender sees that a slow reader makes progress. */
const RAISE_WAIT = 1_000;

/** Of a window, the share that must have been taken to be worth telling of: with a quarter, senders of large frames waited every other. */
const RAISE_SHARE = 1 / 8;

/** How far the sender of one stream may go, and what of the credit that its streams share it has used. Offsets in plain bytes. */
export class Allowance {
  readonly #shared: SenderWindow | undefined;
  readonly #clock: Required<Clock>;
  #window: number;
  /** What the sender is told: nothing before there is a handler, as its hello stands for that. */
  #credit = 0;
  #raisedAt = 0;
  /** What it is held to; it may have been told of a wider window than its handler's. */
  #allowed: number;
  /** Up to where shared credit was used: of a frame under way, to its end. */
  #charged = 0;

  /** `shared`: undefined of another SDK, which knows no credit. */
  constructor(window: number, shared: SenderWindow | undefined, clock: Required<Clock>) {
    this.#window = window;
    this.#allowed = window;
    this.#shared = shared;
    this.#clock = clock;
  }

  /** Bytes the stream may keep waiting. */
  get window(): number {
    return this.#window;
  }

  get credit(): number {
    return this.#credit;
  }

  get charged(): number {
    return this.#charged;
  }

  /** Lets the sender of a stream with a handler go on, from what its reader has taken. */
  raise(taken: number, window: number = this.#window): void {
    this.#window = window;
    this.#credit = taken + window;
    this.#raisedAt = this.#clock.now();
    this.#allowed = Math.max(this.#allowed, this.#credit);
  }

  /** Whether it is worth telling the sender that it may go on. */
  isDue(taken: number): boolean {
    return taken + this.#window - this.#credit >= this.#window * RAISE_SHARE || this.#clock.now() - this.#raisedAt >= RAISE_WAIT;
  }

  /** Uses up credit for bytes up to an offset; false if there is none. */
  charge(to: number): boolean {
    if (this.#shared === undefined) return true;
    if (to > this.#allowed || !this.#shared.allows(this.#charged, to)) return false;
    this.#shared.receive(this.#charged, to);
    this.#charged = to;
    return true;
  }

  /** Bytes were taken: what they used is free again. */
  consume(from: number, to: number): void {
    this.#shared?.consume(from, to);
  }

  /** The stream is over: what it used and nobody took is free again. */
  end(taken: number): void {
    this.#shared?.consume(taken, this.#charged);
  }

  /**
   * After the end: the sender says that it has sent up to an offset. What never came is not waited for. The claim counts between what has
   * come and what there was credit for, so that nothing a sender says frees or raises more than it was charged. Returns what counts.
   */
  release(final: number, came: number): number {
    const most = this.#shared?.reach(this.#charged) ?? Infinity;
    const counted = Math.max(came, Math.min(final, this.#allowed, most));
    this.#shared?.receive(this.#charged, counted);
    this.#shared?.consume(this.#charged, counted);
    this.#charged = counted;
    return counted;
  }
}
