import { longestTurn } from "../../common/event_loop.ts";
import { platform } from "../../common/platform.ts";

/** Interval of the probe, in ms: each lateness is a hold. */
const INTERVAL_MS = 10;

/** Time without a look after which the probe rests, in ms. */
const REST_MS = 10_000;

/** Longest hold of the event loop. A timer that runs only while somebody looks measures the holds of other work than the library's. */
export class HoldProbe {
  #longest = 0;
  #lookedAt = 0;
  #stop: (() => void) | undefined;

  /** Longest hold so far, in ms; starts the timer. */
  look(): number {
    this.#lookedAt = performance.now();
    if (this.#stop === undefined) {
      let due = this.#lookedAt + INTERVAL_MS;
      this.#stop = platform().repeat(() => due = this.#note(due), INTERVAL_MS);
    }
    return this.longest;
  }

  /** Longest hold so far, in ms. */
  get longest(): number {
    return Math.max(this.#longest, longestTurn());
  }

  /** Stops the timer. */
  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** Notes how late the timer is. Returns the time of its next call. */
  #note(due: number): number {
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - due);
    if (now - this.#lookedAt > REST_MS) this.stop();
    return now + INTERVAL_MS;
  }
}
