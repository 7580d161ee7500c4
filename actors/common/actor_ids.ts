/**
 * Ids for actors that come and go. xstate remembers each type of event that a state has seen, and some of them carry an actor's id: ids
 * that are used again keep that memory as large as the largest number of streams that were open at a time.
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
