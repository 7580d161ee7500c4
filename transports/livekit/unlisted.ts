/** Time between two calls to an unlisted participant, in ms. */
const ASK_INTERVAL_MS = 3_500;

/** Time without packets from or to a participant after which it counts as gone, in ms. */
const IDLE_MS = 30_000;

/** Effects of {@linkcode Unlisted}. */
export interface UnlistedContext {
  /** Resolves with whether a participant answers. */
  ask(identity: string): Promise<boolean>;
  /** Notes that a participant has left. */
  gone(identity: string): void;
  /** Calls `done` after a time, in ms; returns a function that cancels the call. */
  later(milliseconds: number, done: () => void): () => void;
  /** Time of a monotonic clock, in ms. */
  now(): number;
}

interface Watch {
  usedAt: number;
  cancel: () => void;
}

/**
 * Participants that sent or answered something, and that the server has not listed: newcomers, hidden ones, and short visitors. The server
 * does not report that these leave, so each is called from time to time.
 */
export class Unlisted {
  readonly #context: UnlistedContext;
  readonly #watches = new Map<string, Watch>();

  constructor(context: UnlistedContext) {
    this.#context = context;
  }

  /** Starts calling a participant. */
  begin(identity: string): void {
    this.end(identity);
    const watch: Watch = { usedAt: this.#context.now(), cancel: () => {} };
    this.#watches.set(identity, watch);
    this.#askLater(identity, watch);
  }

  /** Notes a packet from or to a participant. */
  note(identity: string): void {
    const watch = this.#watches.get(identity);
    if (watch !== undefined) watch.usedAt = this.#context.now();
  }

  /** Stops calling a participant: the server has listed it, or it has left. */
  end(identity: string): void {
    this.#watches.get(identity)?.cancel();
    this.#watches.delete(identity);
  }

  /** Stops all calls. */
  clear(): void {
    for (const identity of [...this.#watches.keys()]) this.end(identity);
  }

  #askLater(identity: string, watch: Watch): void {
    watch.cancel = this.#context.later(ASK_INTERVAL_MS, () => void this.#ask(identity, watch));
  }

  async #ask(identity: string, watch: Watch): Promise<void> {
    const isHere = this.#context.now() - watch.usedAt < IDLE_MS && await this.#context.ask(identity);
    if (this.#watches.get(identity) !== watch) return;
    if (isHere) return this.#askLater(identity, watch);
    this.end(identity);
    this.#context.gone(identity);
  }
}
