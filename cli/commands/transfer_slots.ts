// Slots of the transfers of `receive`. A stalled transfer loses its slot to one that waits.

/** Options of {@linkcode TransferSlots}. */
export interface SlotOptions {
  /** Number of transfers; failed ones count, unless they had lost their slot. */
  readonly count: number;
  /** True for one transfer at a time: a waiting transfer stops a stalled one. Otherwise both continue, and the first to end counts. */
  readonly exclusive: boolean;
  /** Time without a byte after which a transfer has stalled, in ms. */
  readonly stallTime: number;
}

/** Slot of one transfer. */
export interface Slot {
  /** Notes that bytes came. */
  touch(): void;
  /** Notes that the transfer has ended. */
  release(outcome: "done" | "failed"): void;
}

interface Holder {
  timer: ReturnType<typeof setTimeout> | undefined;
  stalled: boolean;
  /** True if another transfer has the slot. */
  displaced: boolean;
  readonly stop: () => void;
}

interface Waiter {
  readonly timer: ReturnType<typeof setTimeout> | undefined;
  readonly stop: () => void;
  readonly resolve: (slot: Slot | undefined) => void;
}

/** Slots for a number of transfers. */
export class TransferSlots {
  readonly #options: SlotOptions;
  readonly #holders = new Set<Holder>();
  readonly #waiters: Waiter[] = [];
  #ended = 0;
  #closed = false;
  #finish: () => void = () => {};
  /** Promise that resolves when all transfers have ended, or on `close`. */
  readonly finished: Promise<void>;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.finished = new Promise((resolve) => this.#finish = resolve);
  }

  /**
   * Resolves with a slot, or with undefined for a surplus transfer, if no other stalls within twice the stall time. `stop` is called if
   * this transfer stalls and must release its slot.
   */
  acquire(stop: () => void): Promise<Slot | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const surplus = this.#ended + this.#active + this.#waiters.length >= this.#options.count;
      const timer = surplus ? setTimeout(() => this.#dismiss(waiter), 2 * this.#options.stallTime) : undefined;
      const waiter = { timer, stop, resolve };
      this.#waiters.push(waiter);
      this.#fill();
    });
  }

  /** Stops granting slots. Callers end open transfers themselves. */
  close(): void {
    this.#closed = true;
    for (const waiter of [...this.#waiters]) this.#dismiss(waiter);
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

  /** Takes the slot of a stalled transfer. Returns whether a slot is free now. */
  #displaceStalled(): boolean {
    const found = [...this.#holders].find(({ stalled, displaced }) => stalled && !displaced);
    if (found === undefined) return false;
    if (this.#options.exclusive) {
      found.stop(); // the slot is free when the transfer releases it
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

  #dismiss(waiter: Waiter): void {
    const at = this.#waiters.indexOf(waiter);
    if (at < 0) return;
    this.#waiters.splice(at, 1);
    clearTimeout(waiter.timer);
    waiter.resolve(undefined);
  }
}
