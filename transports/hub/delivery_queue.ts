import { shouldYield } from "../../common/event_loop.ts";
import { callNextTurn } from "../../common/platform.ts";

/** Item on its way to one or more recipients. */
export interface QueuedDelivery<Recipient> {
  readonly targets: readonly Recipient[];
  /** Number of targets that have got the item. */
  next: number;
}

/**
 * First-in, first-out queue of deliveries. They are handed over after `add` has returned, in a microtask. Once this turn of the event loop is
 * used up, they wait for the next one, so that endless traffic cannot block the loop.
 *
 * Invariant: calls of `deliver` do not overlap.
 */
export class DeliveryQueue<Item extends QueuedDelivery<Recipient>, Recipient> {
  readonly #deliver: (item: Item, to: Recipient) => void;
  #batch: Item[] = [];
  #position = 0;
  #settleBatch: (() => void) | undefined;
  #waiting: Item[] = [];
  #settleWaiting: (() => void) | undefined;
  #settled: Promise<void> | undefined;
  #scheduled = false;
  readonly #run: () => void = () => this.#deliverAll();

  constructor(deliver: (item: Item, to: Recipient) => void) {
    this.#deliver = deliver;
  }

  get idle(): boolean {
    return !this.#scheduled;
  }

  /** Resolves when all targets have got the item. The items of one batch share a promise. */
  add(item: Item): Promise<void> {
    this.#waiting.push(item);
    if (!this.#scheduled) this.#schedule();
    return this.#settled ??= new Promise((resolve) => {
      this.#settleWaiting = resolve;
    });
  }

  /** Puts items before all others in the queue. */
  addFirst(items: readonly Item[]): void {
    if (this.#position < this.#batch.length) this.#batch.splice(this.#position, 0, ...items);
    else this.#waiting.unshift(...items);
    if (!this.#scheduled) this.#schedule();
  }

  #schedule(): void {
    this.#scheduled = true;
    if (shouldYield()) callNextTurn(this.#run);
    else queueMicrotask(this.#run);
  }

  #deliverAll(): void {
    if (this.#position === this.#batch.length) this.#begin();
    // An item stays at #position until all targets have got it: items that a handler puts first come before the rest of a broadcast.
    for (let item = this.#batch[this.#position]; item !== undefined; item = this.#batch[this.#position]) {
      const to = item.targets[item.next];
      if (to === undefined) {
        this.#position++;
        continue;
      }
      item.next++;
      try {
        this.#deliver(item, to);
      } catch (error) {
        // An error of one recipient is reported as uncaught, and must not stop deliveries to the others.
        queueMicrotask(() => {
          throw error;
        });
      }
      const last = this.#position + 1 === this.#batch.length && item.next === item.targets.length;
      if (!last && shouldYield()) {
        callNextTurn(this.#run);
        return;
      }
    }
    this.#batch.length = 0;
    this.#position = 0;
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
