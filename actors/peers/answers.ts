import type { Clock } from "../../common/clock.ts";

/** Burst of answers without delay: more than an honest peer requests in a second. */
const BURST = 20;

/** Interval of further answers, in ms: 20 a second at most. */
export const ANSWER_INTERVAL = 50;

/** Rate limiter of answers to a peer: a burst, then one answer in each interval for all its requests. */
export class Answers {
  readonly #clock: Required<Clock>;
  readonly #send: () => void;
  #left = BURST;
  #refilledAt: number;
  #timer: unknown;

  /** `send` answers all requests so far. */
  constructor(clock: Required<Clock>, send: () => void) {
    this.#clock = clock;
    this.#send = send;
    this.#refilledAt = clock.now();
  }

  /** Requests an answer. */
  request(): void {
    if (this.#timer !== undefined) return; // the scheduled answer covers this request
    const now = this.#clock.now();
    this.#left = Math.min(BURST, this.#left + (now - this.#refilledAt) / ANSWER_INTERVAL);
    this.#refilledAt = now;
    if (this.#left >= 1) {
      this.#left--;
      return this.#send();
    }
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#left = 0;
      this.#refilledAt = this.#clock.now();
      this.#send();
    }, ANSWER_INTERVAL);
  }

  /** Cancels a scheduled answer. */
  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
