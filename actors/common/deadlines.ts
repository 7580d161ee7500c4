import type { Clock } from "../../common/clock.ts";
import { yieldToEventLoop } from "../../common/event_loop.ts";

/** A call that is due at a time. */
export class Deadline {
  /** Time at which the deadline passes, in ms; Infinity while it is not set. */
  at = Infinity;
  /** Called once when the deadline has passed. */
  readonly passed: () => void;

  constructor(passed: () => void) {
    this.passed = passed;
  }
}

/** Deadlines of a runtime's streams, on one timer of the clock: a timer for each stream would cost more than a short stream itself. */
export class Deadlines {
  readonly #clock: Required<Clock>;
  readonly #pending = new Set<Deadline>();
  #timer: unknown;
  /** Time at which the timer fires; never after the first pending deadline. */
  #timerAt = Infinity;
  #isDisarming = false;

  constructor(clock: Required<Clock>) {
    this.#clock = clock;
  }

  /** Sets or moves a deadline; `ms` of Infinity clears the deadline. */
  set(deadline: Deadline, ms: number): void {
    if (ms === Infinity) return this.clear(deadline);
    deadline.at = this.#clock.now() + ms;
    this.#pending.add(deadline);
    if (deadline.at < this.#timerAt) this.#arm(deadline.at);
  }

  clear(deadline: Deadline): void {
    deadline.at = Infinity;
    if (this.#pending.delete(deadline) && this.#pending.size === 0) void this.#disarm();
  }

  /** Clears all deadlines, as the runtime has closed. */
  close(): void {
    this.#pending.clear();
    this.#stopTimer();
  }

  /** Ends the timer in the next turn of the event loop, unless a deadline was set before: short streams follow each other. */
  async #disarm(): Promise<void> {
    if (this.#isDisarming) return;
    this.#isDisarming = true;
    await yieldToEventLoop();
    this.#isDisarming = false;
    if (this.#pending.size === 0) this.#stopTimer();
  }

  #stopTimer(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }

  #arm(at: number): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = this.#clock.setTimeout(() => this.#pass(), Math.max(0, at - this.#clock.now()));
  }

  /** Calls what is due, in the order of time, and waits for the first of the rest. */
  #pass(): void {
    const now = this.#clock.now();
    this.#timerAt = Infinity;
    const due: Deadline[] = [];
    let next = Infinity;
    for (const deadline of this.#pending) {
      if (deadline.at <= now) due.push(deadline);
      else next = Math.min(next, deadline.at);
    }
    if (next < Infinity) this.#arm(next);
    for (const deadline of due.sort((one, other) => one.at - other.at)) {
      if (deadline.at > now) continue; // an earlier call has cleared or moved the deadline
      this.clear(deadline);
      deadline.passed();
    }
  }
}
