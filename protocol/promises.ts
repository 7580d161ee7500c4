// Promises that something else than their executor settles.
import type { Clock } from "./clock.ts";

/** A promise, and the calls that settle it. */
export class Deferred<T = void> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (reason: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

/** Wakes all who wait for the next change of something. */
export class Notifier {
  #next: Deferred | undefined;

  /** Resolves at the next call of `notify`. */
  wait(): Promise<void> {
    this.#next ??= new Deferred();
    return this.#next.promise;
  }

  notify(): void {
    const next = this.#next;
    this.#next = undefined;
    next?.resolve();
  }
}

/** Settles as the work does, or resolves with undefined once `ms` milliseconds have passed. */
export async function within<T>(ms: number, work: Promise<T>, clock: Clock): Promise<T | undefined> {
  let timer: unknown;
  const late = new Promise<undefined>((resolve) => {
    timer = clock.setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clock.clearTimeout(timer);
  }
}
