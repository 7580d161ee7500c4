import type { Clock } from "../../common/clock.ts";

/** Reason of a stream that ended unread, at both ends. */
export const UNREAD = "its handler returned and nobody reads it";

/** Ends a stream whose handler has returned without a consumer: else it would stay open for the runtime's life. */
export class UnreadWatch {
  readonly #clock: Required<Clock>;
  readonly #timeout: number;
  readonly #expire: () => void;
  #isHandled = false;
  #isConsumed = false;
  #isOver = false;
  #timer: unknown;

  /** `expire` is called `timeout` milliseconds after the handler's return, unless a consumer has started. */
  constructor(clock: Required<Clock>, timeout: number, expire: () => void) {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#expire = expire;
  }

  /** Notes that the handler has returned. */
  handled(): void {
    this.#isHandled = true;
    this.#watch();
  }

  /** The stream has a consumer, or none after all. */
  consumed(isConsumed: boolean): void {
    this.#isConsumed = isConsumed;
    this.#watch();
  }

  /** Stops the watch, as the stream has ended. */
  end(): void {
    this.#isOver = true;
    this.#watch();
  }

  #watch(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#isHandled || this.#isConsumed || this.#isOver) return;
    this.#timer = this.#clock.setTimeout(this.#expire, this.#timeout);
  }
}
