import type { Clock } from "../../common/clock.ts";
import type { ConnectionReceiveWindow } from "../../protocol/flow/credit.ts";

/** Interval of credit updates for a slow reader, in ms, so that its sender sees progress. */
const UPDATE_INTERVAL_MS = 1_000;

/** Send a credit update once this share of the window was consumed. At 1/4, senders of large frames stalled on every second frame. */
const UPDATE_SHARE = 1 / 8;

/** Receive window of one stream, and its use of the credit shared with the sender's other streams. Offsets in plain bytes. */
export class ReceiveWindow {
  readonly #shared: ConnectionReceiveWindow | undefined;
  readonly #clock: Required<Clock>;
  #window: number;
  /** Limit that the sender was told; 0 before there is a handler, while the hello's applies. */
  #advertisedLimit = 0;
  #raisedAt = 0;
  /** Enforced limit, in bytes. May exceed the handler's window: the hello may have advertised more. */
  #enforcedLimit: number;
  /** Offset up to which shared credit is used; of an unfinished frame, to its end. */
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

  /** Raises the limit to the window beyond the consumed bytes, for a stream with a handler. */
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

  /** Frees shared credit of consumed bytes. */
  consume(from: number, to: number): void {
    this.#shared?.consume(from, to);
  }

  /** Frees shared credit of unconsumed bytes, as the stream has ended. */
  end(taken: number): void {
    this.#shared?.consume(taken, this.#reserved);
  }

  /**
   * Settles an ended stream that was sent up to `final`, by its sender's word. The word counts only between the received bytes and the
   * credit, so that no forgery frees more than was charged. Returns the offset that counts.
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
