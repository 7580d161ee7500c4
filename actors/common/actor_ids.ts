/**
 * Recycled actor ids. xstate remembers each type of event that a state has seen, and some contain an actor's id: recycling bounds that
 * memory by the most streams open at a time.
 */
export class ActorIds {
  readonly #prefix: string;
  readonly #free: number[] = [];
  #made = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  take(): string {
    return `${this.#prefix}:${this.#free.pop() ?? this.#made++}`;
  }

  giveBack(id: string): void {
    this.#free.push(Number(id.slice(this.#prefix.length + 1)));
  }
}
