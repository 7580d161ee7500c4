import { Deadline, type Deadlines } from "../common/deadlines.ts";

/** Reason of a stream that ended unread, at both ends. */
export const UNREAD = "its handler returned and nobody reads it";

/** Ends a stream whose handler has returned without a consumer: else it would stay open for the runtime's life. */
export class UnreadWatch {
  readonly #deadlines: Deadlines;
  readonly #timeout: number;
  readonly #deadline: Deadline;
  #isHandled = false;
  #isConsumed = false;
  #isOver = false;

  /** `expire` is called `timeout` milliseconds after the handler's return, unless a consumer has started. */
  constructor(deadlines: Deadlines, timeout: number, expire: () => void) {
    this.#deadlines = deadlines;
    this.#timeout = timeout;
    this.#deadline = new Deadline(expire);
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
    const isUnread = this.#isHandled && !this.#isConsumed && !this.#isOver;
    this.#deadlines.set(this.#deadline, isUnread ? this.#timeout : Infinity);
  }
}
