// Limit on the streams that a sender may open at a receiver, as QUIC's MAX_STREAMS: absolute counts. Pure arithmetic.
import type { Limits } from "../limits.ts";

/**
 * Share of the free streams that a new sender is granted: 200 senders leave 175 of 4,096. A sender that uses half of its window, or has
 * sends that wait, is granted a larger one.
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
  /** Whether a send has waited for this receiver too long. Until the receiver takes more streams, sends to several do not wait for it. */
  stalled = false;
  /** Time at which a send began to wait for this receiver, or the receiver last took more streams, in ms. */
  waitingSince: number | undefined;

  /** Streams whose header was sent to this instance of the receiver. */
  get opened(): number {
    return this.#opened;
  }

  /** Whether one more stream may be opened. A receiver without a limit refuses by itself. */
  get available(): boolean {
    return this.#ended || this.#limit === undefined || this.#taken < this.#limit;
  }

  /** Counts a stream that is about to be opened. */
  take(): void {
    this.#taken++;
  }

  /** Notes that its header was sent. */
  open(): void {
    this.#opened++;
  }

  /** Uncounts a stream that was not opened after all. */
  giveBack(): void {
    this.#taken--;
  }

  /** Takes the receiver's limit. A lower one than before is late, and ignored. Returns true if more streams may be opened. */
  raise(limit: number | undefined): boolean {
    if (limit === undefined || (this.#limit !== undefined && limit <= this.#limit)) return false;
    this.#limit = limit;
    this.stalled = false;
    this.waitingSince = undefined;
    return true;
  }

  /** Notes that the receiver reads: taking no more streams is then no stall. */
  noteProgress(): void {
    this.waitingSince = undefined;
  }

  /** Ends the credit, as the receiver's instance is over: no send waits for it. */
  end(): void {
    this.#ended = true;
  }

  get ended(): boolean {
    return this.#ended;
  }
}

/** Streams that a receiver has granted to all senders together, never more than its limit. */
export class StreamBudget {
  readonly #streams: number;
  /** Senders with sends that wait, in order of their requests. */
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

  /** Counts a grant that has grown or shrunk. */
  change(by: number): void {
    this.#promised += by;
  }

  setWaiting(grant: StreamGrant, waits: boolean): void {
    if (waits) this.#waiting.add(grant);
    else this.#waiting.delete(grant);
  }

  /** Shares the free streams among the senders that wait. */
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
  /** Streams of the sender that are open here, those of its earlier instances included. */
  allOpen(): number;
  /** The limit of a sender that waits has risen. */
  raised(): void;
}

/** The receiver's side: streams that one instance of a sender may open. */
export class StreamGrant {
  readonly #options: StreamGrantOptions;
  readonly #budget: StreamBudget;
  readonly #most: number;
  /** Most streams open at a time. */
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

  /** Count that the sender is told; undefined where no streams are accepted at all, so that each is refused at once. */
  get limit(): number | undefined {
    return this.#options.limits.streams === 0 || this.#most === 0 ? undefined : this.#limit;
  }

  /** Whether the limit has risen so far above the advertised one that the sender should be told. */
  isDue(told: number): boolean {
    return this.#limit > told && (this.#opened >= told || this.#limit - told >= this.#window / 4);
  }

  /** Counts a stream whose header has come. */
  open(): void {
    this.#opened++;
    if ((this.#opened - this.#ended) * 2 >= this.#window) this.#window = Math.min(this.#window * 2, this.#most);
    this.grow();
  }

  /** Counts a stream that has ended here, read or dropped. */
  end(): void {
    this.#ended++;
    this.#reserve();
    this.#budget.feed();
    if (this.#ended === this.#opened) this.#window = Math.min(this.#window, this.#firstWindow());
    this.grow();
  }

  /** Takes the sender's counts of opened streams and of waiting sends. Headers missing by then were lost. */
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

  /** Ends the grant, as the sender's instance is over. Its whole streams stay counted until they end. */
  close(): void {
    this.#closed = true;
    this.#budget.setWaiting(this, false);
    this.#reserve();
    this.#budget.feed();
  }

  /** Raises the limit to the ended streams plus the window, as far as the total allows, and by no more than asked. */
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
