/** Simulated time in ms, and the events to come. Nothing in it waits for promises, so that it is fast. */
export class EventQueue {
  #now = 0;
  /** Heap in order of time, and of addition. */
  readonly #heap: { at: number; order: number; run: () => void }[] = [];
  #added = 0;

  get now(): number {
    return this.#now;
  }

  /** Adds an event. */
  at(time: number, run: () => void): void {
    const event = { at: Math.max(time, this.#now), order: this.#added++, run };
    let place = this.#heap.length;
    for (let parent = (place - 1) >> 1; place > 0 && this.#isBefore(event, parent); parent = (place - 1) >> 1) {
      this.#move(parent, place);
      place = parent;
    }
    this.#heap[place] = event;
  }

  /** Runs the next event; false if there is none. */
  step(): boolean {
    const [next] = this.#heap;
    const last = this.#heap.pop();
    if (next === undefined || last === undefined) return false;
    if (next !== last) this.#sink(last);
    this.#now = next.at;
    next.run();
    return true;
  }

  #sink(event: { at: number; order: number; run: () => void }): void {
    let place = 0;
    for (let child = 1; child < this.#heap.length; child = 2 * place + 1) {
      const other = this.#heap[child + 1];
      if (other !== undefined && this.#isBefore(other, child)) child++;
      if (this.#isBefore(event, child)) break;
      this.#move(child, place);
      place = child;
    }
    this.#heap[place] = event;
  }

  #move(from: number, to: number): void {
    const event = this.#heap[from];
    if (event !== undefined) this.#heap[to] = event;
  }

  #isBefore({ at, order }: { at: number; order: number }, place: number): boolean {
    const other = this.#heap[place];
    return other !== undefined && (at < other.at || (at === other.at && order < other.order));
  }
}
