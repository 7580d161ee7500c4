/** Milliseconds after which a participant of whom the server has not told is asked whether it is here, and then again. */
const ASK_INTERVAL = 3_500;

/** Milliseconds without a packet from it or to it, after which it is asked no more. */
const IDLE = 30_000;

/** Surroundings of {@linkcode Unlisted}. */
export interface UnlistedContext {
  /** Whether a participant answers. */
  ask(identity: string): Promise<boolean>;
  /** It does not: it has left. */
  gone(identity: string): void;
  /** Calls back after so many milliseconds; gives what cancels that. */
  later(milliseconds: number, done: () => void): () => void;
  /** Milliseconds of a clock that is never set. */
  now(): number;
}

interface Watch {
  usedAt: number;
  cancel: () => void;
}

/**
 * Participants who are known by what they sent or answered, and not by the server: newcomers, hidden ones, and visitors who left before
 * the server told of them, of whose leaving it does not tell either. Each is asked from time to time.
 */
export class Unlisted {
  readonly #context: UnlistedContext;
  readonly #watches = new Map<string, Watch>();

  constructor(context: UnlistedContext) {
    this.#context = context;
  }

  begin(identity: string): void {
    this.end(identity);
    const watch: Watch = { usedAt: this.#context.now(), cancel: () => {} };
    this.#watches.set(identity, watch);
    this.#askLater(identity, watch);
  }

  /** Something came from a participant, or went to it. */
  note(identity: string): void {
    const watch = this.#watches.get(identity);
    if (watch !== undefined) watch.usedAt = this.#context.now();
  }

  /** The server has told of it, or it has left. */
  end(identity: string): void {
    this.#watches.get(identity)?.cancel();
    this.#watches.delete(identity);
  }

  clear(): void {
    for (const identity of [...this.#watches.keys()]) this.end(identity);
  }

  #askLater(identity: string, watch: Watch): void {
    watch.cancel = this.#context.later(ASK_INTERVAL, () => void this.#ask(identity, watch));
  }

  async #ask(identity: string, watch: Watch): Promise<void> {
    const isHere = this.#context.now() - watch.usedAt < IDLE && await this.#context.ask(identity);
    if (this.#watches.get(identity) !== watch) return;
    if (isHere) return this.#askLater(identity, watch);
    this.end(identity);
    this.#context.gone(identity);
  }
}
