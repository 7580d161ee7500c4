// How many streams a sender may open at a receiver: credit in absolute counts, as QUIC's MAX_STREAMS. Pure arithmetic.
import type { Limits } from "../limits.ts";

/**
 * Share of the streams still free that a new sender may open unasked: 200 senders leave 175 of 4,096 for those who ask. A sender that uses
 * half of its window, or has sends that wait, gets a larger one.
 */
const FIRST_SHARE = 1 / 64;

/** Count that stands for Infinity. */
const UNBOUNDED = 2 ** 40;

/** The sender's side: streams that may be opened at one receiver. */
export class StreamCredit {
  #limit: number | undefined;
  #taken = 0;
  #opened = 0;
  #ended = false;
  /** A send waited for this receiver as long as it may. Until the receiver takes more streams, a send to others does not wait for it. */
  stalled = false;
  /** When a send began to wait for this receiver, or the receiver last took more streams, in the clock's milliseconds. */
  waitingSince: number | undefined;

  /** Streams whose header was sent since this life of the receiver began. */
  get opened(): number {
    return this.#opened;
  }

  /** Whether one more may be opened. A receiver that has stated no limit refuses for itself. */
  get available(): boolean {
    return this.#ended || this.#limit === undefined || this.#taken < this.#limit;
  }

  /** A stream is about to be opened. */
  take(): void {
    this.#taken++;
  }

  /** Its header was sent. */
  open(): void {
    this.#opened++;
  }

  /** A stream counted by `take` was not opened after all. */
  giveBack(): void {
    this.#taken--;
  }

  /** The receiver states its limit. A lower one than before comes late and counts for nothing. True: more may be opened. */
  raise(limit: number | undefined): boolean {
    if (limit === undefined || (this.#limit !== undefined && limit <= this.#limit)) return false;
    this.#limit = limit;
    this.stalled = false;
    this.waitingSince = undefined;
    return true;
  }

  /** The receiver reads: that it takes no more streams for now is no stall. */
  noteProgress(): void {
    this.waitingSince = undefined;
  }

  /** This life of the receiver is over: nobody need wait for it. */
  end(): void {
    this.#ended = true;
  }

  get ended(): boolean {
    return this.#ended;
  }
}

/** Streams that a receiver has promised to take, of all senders together: never more than its limit. */
export class StreamBudget {
  readonly #streams: number;
  /** Senders with sends that wait, in the order in which they said so. */
  readonly #waiting = new Set<StreamGrant>();
  #promised = 0;

  constructor({ streams }: Limits) {
    this.#streams = Math.min(streams, UNBOUNDED);
  }

  get promised(): number {
    return this.#promised;
  }

  get free(): number {
    return Math.max(0, this.#streams - this.#promised);
  }

  /** A promise has grown, or shrunk. */
  change(by: number): void {
    this.#promised += by;
  }

  setWaiting(grant: StreamGrant, waits: boolean): void {
    if (waits) this.#waiting.add(grant);
    else this.#waiting.delete(grant);
  }

  /** Shares what is free among the senders that wait. */
  feed(): void {
    for (const grant of [...this.#waiting]) {
      if (this.free === 0) return;
      grant.grow(Math.ceil(this.free / this.#waiting.size));
    }
  }
}

export interface StreamGrantOptions {
  readonly limits: Limits;
  readonly budget: StreamBudget;
  /** Streams of the sender that are open here, those of its earlier lives included. */
  allOpen(): number;
  /** The sender waits, and the limit has risen. */
  raised(): void;
}

/** The receiver's side: streams that one life of a sender may open. */
export class StreamGrant {
  readonly #options: StreamGrantOptions;
  readonly #budget: StreamBudget;
  readonly #most: number;
  /** Streams that may be open at a time. */
  #window: number;
  #limit = 0;
  #opened = 0;
  #ended = 0;
  #reserved = 0;
  #closed = false;

  constructor(options: StreamGrantOptions) {
    this.#options = options;
    this.#budget = options.budget;
    this.#most = Math.min(options.limits.streamsPerSender, UNBOUNDED);
    this.#window = this.#firstWindow();
    this.grow();
  }

  /** The count of streams that the sender is told; undefined where none are taken ever, so that a refusal says so at once. */
  get limit(): number | undefined {
    return this.#options.limits.streams === 0 || this.#most === 0 ? undefined : this.#limit;
  }

  /** Whether the sender should be told of a limit that has risen since it was told another. */
  isDue(told: number): boolean {
    return this.#limit > told && (this.#opened >= told || this.#limit - told >= this.#window / 4);
  }

  /** A header has come. */
  open(): void {
    this.#opened++;
    if ((this.#opened - this.#ended) * 2 >= this.#window) this.#window = Math.min(this.#window * 2, this.#most);
    this.grow();
  }

  /** A stream has ended here, all of it read or dropped. */
  end(): void {
    this.#ended++;
    this.#reserve();
    this.#budget.feed();
    if (this.#ended === this.#opened) this.#window = Math.min(this.#window, this.#firstWindow());
    this.grow();
  }

  /** The sender says how many streams it has opened, and how many sends wait. Headers missing before this were lost on the way. */
  noteSender(opened: number, waiting: number): void {
    const lost = Math.max(0, Math.min(opened, this.#limit) - this.#opened);
    this.#opened += lost;
    this.#ended += lost;
    const wanted = this.#opened - this.#ended + waiting;
    if (waiting > 0) this.#window = Math.min(Math.max(this.#window, wanted), this.#most);
    this.#budget.setWaiting(this, waiting > 0 && this.#limit <= this.#opened && !this.#closed);
    this.#reserve();
    this.#budget.feed();
    this.grow();
  }

  /** This life of the sender is over. Its streams that came whole stay promised until they end. */
  close(): void {
    this.#closed = true;
    this.#budget.setWaiting(this, false);
    this.#reserve();
    this.#budget.feed();
  }

  /** Raises the limit to the window's size beyond the streams that have ended, as far as the total allows, and by no more than asked. */
  grow(most = Infinity): void {
    if (this.#closed) return this.#reserve();
    const older = Math.max(0, this.#options.allOpen() - (this.#opened - this.#ended));
    const wanted = this.#ended + Math.max(0, Math.min(this.#window, this.#most - older));
    const rise = Math.min(wanted - this.#limit, this.#budget.free, most);
    if (rise > 0) this.#limit += rise;
    this.#reserve();
    if (this.#limit > this.#opened) this.#budget.setWaiting(this, false);
    if (rise > 0) this.#options.raised();
  }

  #firstWindow(): number {
    return Math.min(this.#most, Math.floor((this.#budget.free + this.#reserved) * FIRST_SHARE));
  }

  #reserve(): void {
    const promised = this.#closed ? this.#opened : Math.max(this.#limit, this.#opened);
    const reserved = promised - this.#ended;
    this.#budget.change(reserved - this.#reserved);
    this.#reserved = reserved;
  }
}
