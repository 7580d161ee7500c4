// Promises that are settled from outside.

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

/** Wakes all waiters at the next change. */
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
