import type { Clock } from "../../common/clock.ts";
import type { ConnectionReceiveWindow } from "../../protocol/flow/credit.ts";

/** Interval of credit updates for a slow reader, in ms, so that its sender sees progress. */
const UPDATE_INTERVAL_MS = 1_000;

/** Send a credit update once this share of the window was consumed. At 1/4, senders of large frames stalled on every second frame. */
const UPDATE_SHARE = 1 / 8;

/** Window as a multiple of the bytes consumed in a round trip, so that the sender may double its rate before the window shows. */
const GROWTH = 2;

/** Receive window of one stream, and its use of the credit shared with the sender's other streams. Offsets in plain bytes. */
export class ReceiveWindow {
  readonly #shared: ConnectionReceiveWindow | undefined;
  readonly #clock: Required<Clock>;
  /** Smallest and largest window, in bytes. A window that was asked for is both. */
  #least: number;
  #most: number;
  #window: number;
  /** Limit that the sender was told; 0 before there is a handler, while the hello's applies. */
  #advertisedLimit = 0;
  #raisedAt = 0;
  /** Enforced limit, in bytes. May exceed the handler's window: the hello may have advertised more. */
  #enforcedLimit: number;
  /** Offset up to which shared credit is used; of an unfinished frame, to its end. */
  #reserved = 0;
  /** A grant whose first byte is awaited, to measure the round trip: the limit before, and the time. */
  #probe: { readonly limit: number; readonly at: number } | undefined;
  /** Least time from a grant to its first byte, in ms. */
  #roundTrip = Infinity;
  #roundAt = 0;
  #roundConsumed = 0;

  /**
   * `most`: bytes up to which the window may follow its reader.
   * `shared`: undefined of another SDK, which knows no credit.
   */
  constructor(window: number, most: number, shared: ConnectionReceiveWindow | undefined, clock: Required<Clock>) {
    this.#window = this.#least = window;
    this.#most = most;
    this.#enforcedLimit = window;
    this.#shared = shared;
    this.#clock = clock;
  }

  /** Most bytes that may wait for the reader. */
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
  grant(taken: number, window?: number): void {
    const now = this.#clock.now();
    if (window !== undefined) this.#window = this.#least = this.#most = window;
    else if (taken > 0) this.#probe ??= { limit: this.#enforcedLimit, at: now };
    this.#advertisedLimit = Math.max(this.#advertisedLimit, taken + this.#window);
    this.#raisedAt = now;
    this.#enforcedLimit = Math.max(this.#enforcedLimit, this.#advertisedLimit);
  }

  /**
   * Adapts the window to its reader, once a round trip, as TCP's receivers do (dynamic right-sizing). It grows to twice the bytes consumed in
   * a round trip, by `room` bytes at most, and shrinks when the reader slows down. Returns true if the window has changed.
   */
  adapt(consumed: number, room: number): boolean {
    if (this.#least === this.#most || this.#roundTrip === Infinity) return false;
    const now = this.#clock.now();
    if (now - this.#roundAt < this.#roundTrip) return false;
    const wanted = GROWTH * (consumed - this.#roundConsumed) * this.#roundTrip / Math.max(1, now - this.#roundAt);
    this.#roundAt = now;
    this.#roundConsumed = consumed;
    const before = this.#window;
    if (wanted > before) this.#window = Math.min(this.#most, before + room, wanted);
    else if (wanted < before / 2) this.#window = Math.max(this.#least, before / 2);
    this.#window = Math.floor(this.#window);
    return this.#window !== before;
  }

  /** True if a credit update is worth a packet. */
  shouldUpdate(taken: number): boolean {
    return taken + this.#window - this.#advertisedLimit >= this.#window * UPDATE_SHARE ||
      this.#clock.now() - this.#raisedAt >= UPDATE_INTERVAL_MS;
  }

  /** Uses credit for bytes up to an offset. Returns false if the credit does not suffice. */
  charge(to: number): boolean {
    if (this.#shared === undefined) return true;
    if (this.#probe !== undefined && to > this.#probe.limit) {
      this.#roundTrip = Math.min(this.#roundTrip, this.#clock.now() - this.#probe.at);
      this.#probe = undefined;
    }
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
