// Slots for the transfers that `receive` was asked for: a sender who stalls does not keep its slot from another who waits.

export interface SlotOptions {
  /** Transfers to end with; failed ones count, but for those that lost their slot. */
  readonly count: number;
  /** One transfer at a time. Then a stalled one is stopped when another waits; otherwise both go on, and the first to end counts. */
  readonly exclusive: boolean;
  /** Milliseconds without a byte after which a transfer has stalled. */
  readonly stallTime: number;
}

export interface Slot {
  /** Bytes came: the transfer has not stalled. */
  touch(): void;
  /** The transfer has ended. */
  release(outcome: "done" | "failed"): void;
}

interface Holder {
  timer: ReturnType<typeof setTimeout> | undefined;
  stalled: boolean;
  /** Another transfer has its slot. */
  displaced: boolean;
  readonly stop: () => void;
}

interface Waiter {
  readonly timer: ReturnType<typeof setTimeout> | undefined;
  readonly stop: () => void;
  readonly resolve: (slot: Slot | undefined) => void;
}

export class TransferSlots {
  readonly #options: SlotOptions;
  readonly #holders = new Set<Holder>();
  readonly #waiters: Waiter[] = [];
  #ended = 0;
  #closed = false;
  #finish: () => void = () => {};
  /** Resolves when as many transfers as were asked for have ended, or on `close`. */
  readonly finished: Promise<void>;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.finished = new Promise((resolve) => this.#finish = resolve);
  }

  /**
   * Resolves with a slot, or with undefined if the transfer is not wanted: one more than was asked for, and nobody stalls within twice the
   * stall time. `stop` is called when a transfer has stalled that must make room.
   */
  acquire(stop: () => void): Promise<Slot | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const surplus = this.#ended + this.#active + this.#waiters.length >= this.#options.count;
      const timer = surplus ? setTimeout(() => this.#giveUp(waiter), 2 * this.#options.stallTime) : undefined;
      const waiter = { timer, stop, resolve };
      this.#waiters.push(waiter);
      this.#fill();
    });
  }

  /** No more slots are granted. Transfers under way are their owners' to end. */
  close(): void {
    this.#closed = true;
    for (const waiter of [...this.#waiters]) this.#giveUp(waiter);
    for (const { timer } of this.#holders) clearTimeout(timer);
    this.#finish();
  }

  get #active(): number {
    return [...this.#holders].filter(({ displaced }) => !displaced).length;
  }

  #fill(): void {
    const { count, exclusive } = this.#options;
    while (this.#waiters.length > 0) {
      const free = exclusive ? 1 - this.#active : count - this.#ended - this.#active;
      if (free <= 0 && !this.#displaceStalled()) return;
      const waiter = this.#waiters.shift();
      if (waiter !== undefined) this.#grant(waiter);
    }
  }

  /** True if a slot has become free by it. */
  #displaceStalled(): boolean {
    const found = [...this.#holders].find(({ stalled, displaced }) => stalled && !displaced);
    if (found === undefined) return false;
    if (this.#options.exclusive) {
      found.stop(); // its release makes room
      return false;
    }
    found.displaced = true;
    return true;
  }

  #grant({ timer, stop, resolve }: Waiter): void {
    clearTimeout(timer);
    const holder: Holder = { timer: undefined, stalled: false, displaced: false, stop };
    this.#holders.add(holder);
    const touch = (): void => {
      if (this.#closed || !this.#holders.has(holder)) return;
      holder.stalled = false;
      clearTimeout(holder.timer);
      holder.timer = setTimeout(() => {
        holder.stalled = true;
        this.#fill();
      }, this.#options.stallTime);
    };
    touch();
    resolve({ touch, release: (outcome) => this.#release(holder, outcome) });
  }

  #release(holder: Holder, outcome: "done" | "failed"): void {
    if (!this.#holders.delete(holder)) return;
    clearTimeout(holder.timer);
    if (outcome === "done" || !holder.displaced) this.#ended++;
    if (this.#ended >= this.#options.count) this.close();
    else this.#fill();
  }

  #giveUp(waiter: Waiter): void {
    const at = this.#waiters.indexOf(waiter);
    if (at < 0) return;
    this.#waiters.splice(at, 1);
    clearTimeout(waiter.timer);
    waiter.resolve(undefined);
  }
}
