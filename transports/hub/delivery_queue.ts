import { shouldYield } from "../../event_loop.ts";
import { callNextTurn } from "../../platform.ts";

/** One thing under way to one or more recipients. */
export interface QueuedDelivery<Recipient> {
  readonly targets: readonly Recipient[];
  /** How many of the targets have had it. */
  next: number;
}

/**
 * Deliveries that were sent and not yet handed on, first in, first out. They are handed on soon, but never from within `add`: by microtask as
 * long as this turn of the event loop is not used up, in the next turn otherwise, so that endless traffic cannot hold the loop.
 *
 * Invariant: no call of `hand` begins before the one before it has returned.
 */
export class DeliveryQueue<Item extends QueuedDelivery<Recipient>, Recipient> {
  readonly #hand: (item: Item, to: Recipient) => void;
  #batch: Item[] = [];
  #at = 0;
  #settleBatch: (() => void) | undefined;
  #waiting: Item[] = [];
  #settleWaiting: (() => void) | undefined;
  #settled: Promise<void> | undefined;
  #scheduled = false;
  readonly #run: () => void = () => this.#handOn();

  constructor(hand: (item: Item, to: Recipient) => void) {
    this.#hand = hand;
  }

  get idle(): boolean {
    return !this.#scheduled;
  }

  /** Resolves when it has been handed to all. All that is added before the next batch begins shares one promise. */
  add(item: Item): Promise<void> {
    this.#waiting.push(item);
    if (!this.#scheduled) this.#schedule();
    return this.#settled ??= new Promise((resolve) => {
      this.#settleWaiting = resolve;
    });
  }

  /** Puts items before all that has not been handed on yet. */
  addFirst(items: readonly Item[]): void {
    if (this.#at < this.#batch.length) this.#batch.splice(this.#at, 0, ...items);
    else this.#waiting.unshift(...items);
    if (!this.#scheduled) this.#schedule();
  }

  #schedule(): void {
    this.#scheduled = true;
    if (shouldYield()) callNextTurn(this.#run);
    else queueMicrotask(this.#run);
  }

  #handOn(): void {
    if (this.#at === this.#batch.length) this.#begin();
    // An item stays at #at until all have had it: what a handler puts first comes before the rest of a broadcast.
    for (let item = this.#batch[this.#at]; item !== undefined; item = this.#batch[this.#at]) {
      const to = item.targets[item.next];
      if (to === undefined) {
        this.#at++;
        continue;
      }
      item.next++;
      try {
        this.#hand(item, to);
      } catch (error) {
        // A recipient's fault must reach its author, and must not keep the others from getting theirs.
        queueMicrotask(() => {
          throw error;
        });
      }
      const last = this.#at + 1 === this.#batch.length && item.next === item.targets.length;
      if (!last && shouldYield()) {
        callNextTurn(this.#run);
        return;
      }
    }
    this.#batch.length = 0;
    this.#at = 0;
    this.#settleBatch?.();
    this.#settleBatch = undefined;
    this.#scheduled = false;
    if (this.#waiting.length > 0) this.#schedule();
  }

  #begin(): void {
    const empty = this.#batch;
    this.#batch = this.#waiting;
    this.#waiting = empty;
    this.#settleBatch = this.#settleWaiting;
    this.#settleWaiting = undefined;
    this.#settled = undefined;
  }
}
