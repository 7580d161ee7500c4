import type { Clock } from "../../common/clock.ts";

/** Answers that go out at once; an honest peer asks for no more in a second. */
const BURST = 20;

/** Milliseconds for each answer after those: 20 a second, whoever asks how often. */
export const ANSWER_INTERVAL = 50;

/** Answers to what a peer asks: some at once, then one in each interval for all that was asked in it. */
export class Answers {
  readonly #clock: Required<Clock>;
  readonly #send: () => void;
  #left = BURST;
  #refilledAt: number;
  #timer: unknown;

  /** `send` says all that is to be said at that time. */
  constructor(clock: Required<Clock>, send: () => void) {
    this.#clock = clock;
    this.#send = send;
    this.#refilledAt = clock.now();
  }

  /** The peer asks. */
  request(): void {
    if (this.#timer !== undefined) return; // the answer that waits is to this, too
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

  /** Nothing more is answered. */
  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
