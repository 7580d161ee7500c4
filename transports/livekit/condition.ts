import type { Clock } from "../../common/clock.ts";

/** Condition variable with a time limit. */
export class Condition {
  readonly #clock: Clock;
  readonly #waiters = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves on the next `notify`, at the latest after `milliseconds`. */
  async wait(milliseconds: number): Promise<void> {
    let timer: unknown;
    let wake: () => void = () => {};
    await new Promise<void>((resolve) => {
      wake = resolve;
      this.#waiters.add(wake);
      timer = this.#clock.setTimeout(resolve, milliseconds);
    });
    this.#clock.clearTimeout(timer);
    this.#waiters.delete(wake);
  }

  /** Resolves all calls of `wait`. */
  notify(): void {
    for (const wake of this.#waiters) wake();
  }
}
