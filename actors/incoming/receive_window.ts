import type { Clock } from "../../common/clock.ts";
import type { ConnectionReceiveWindow } from "../../protocol/flow/credit.ts";

/** Milliseconds after which even little that was taken is told of, so that a sender sees that a slow reader makes progress. */
const UPDATE_INTERVAL_MS = 1_000;

/** Send a credit update once this share of the window was consumed. At 1/4, senders of large frames stalled on every second frame. */
const UPDATE_SHARE = 1 / 8;

/** How far the sender of one stream may go, and what of the credit that its streams share it has used. Offsets in plain bytes. */
export class ReceiveWindow {
  readonly #shared: ConnectionReceiveWindow | undefined;
  readonly #clock: Required<Clock>;
  #window: number;
  /** Limit that the sender was told, in bytes; 0 before there is a handler, as the hello stands for that. */
  #advertisedLimit = 0;
  #raisedAt = 0;
  /** Enforced limit, in bytes. May exceed the handler's window: the hello may have advertised more. */
  #enforcedLimit: number;
  /** Up to where shared credit was used: of a frame under way, to its end. */
  #reserved = 0;

  /** `shared`: undefined of another SDK, which knows no credit. */
  constructor(window: number, shared: ConnectionReceiveWindow | undefined, clock: Required<Clock>) {
    this.#window = window;
    this.#enforcedLimit = window;
    this.#shared = shared;
    this.#clock = clock;
  }

  /** Bytes the stream may keep waiting. */
  get window(): number {
    return this.#window;
  }

  get advertisedLimit(): number {
    return this.#advertisedLimit;
  }

  get reserved(): number {
    return this.#reserved;
  }

  /** Lets the sender of a stream with a handler go on, from what its reader has taken. */
  grant(taken: number, window: number = this.#window): void {
    this.#window = window;
    this.#advertisedLimit = taken + window;
    this.#raisedAt = this.#clock.now();
    this.#enforcedLimit = Math.max(this.#enforcedLimit, this.#advertisedLimit);
  }

  /** True if a credit update is worth a packet. */
  shouldUpdate(taken: number): boolean {
    return taken + this.#window - this.#advertisedLimit >= this.#window * UPDATE_SHARE ||
      this.#clock.now() - this.#raisedAt >= UPDATE_INTERVAL_MS;
  }

  /** Uses up credit for bytes up to an offset; false if there is none. */
  charge(to: number): boolean {
    if (this.#shared === undefined) return true;
    if (to > this.#enforcedLimit || !this.#shared.allows(this.#reserved, to)) return false;
    this.#shared.receive(this.#reserved, to);
    this.#reserved = to;
    return true;
  }

  /** Bytes were taken: what they used is free again. */
  consume(from: number, to: number): void {
    this.#shared?.consume(from, to);
  }

  /** The stream is over: what it used and nobody took is free again. */
  end(taken: number): void {
    this.#shared?.consume(taken, this.#reserved);
  }

  /**
   * After the end: the sender says that it has sent up to an offset. What never came is not waited for. The claim counts between what has
   * come and what there was credit for, so that nothing a sender says frees or raises more than it was charged. Returns what counts.
   */
  release(final: number, came: number): number {
    const most = this.#shared?.reach(this.#reserved) ?? Infinity;
    const counted = Math.max(came, Math.min(final, this.#enforcedLimit, most));
    this.#shared?.receive(this.#reserved, counted);
    this.#shared?.consume(this.#reserved, counted);
    this.#reserved = counted;
    return counted;
  }
}
