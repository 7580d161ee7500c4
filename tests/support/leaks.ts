// Timers and abort listeners of the library that a test has left after closing everything. Each is reported with the place that made it.

interface Made {
  /** Error whose stack is written out only for a report: on Deno that takes a millisecond. */
  readonly error: Error;
  /** Increasing number: later objects have larger ones. */
  readonly order: number;
}

type Listening = Map<unknown, Made>;

let made = 0;
const timers = new Map<unknown, Made>();
const listeners = new Map<AbortSignal, Listening>();

/** Paths in a stack that tell the maker. Frames of this file and of the runtime do not. */
const LIBRARY = /[\\/](actors|files|protocol|transports|workers)[\\/]([\w-]+[\\/])?[^\\/]+\.(js|ts)/;
const OTHERS = /[\\/](tests|node_modules)[\\/]/;
const OWN = /[\\/]leaks\.(js|ts)/;

function note(): Made {
  return { error: new Error("made here"), order: ++made };
}

/** The pool of the process outlives each test. */
const POOL = /[\\/]workers[\\/]pool[\\/]/;

/** Whether the first place outside this file is the library's: timers of a test or a package do not count. */
function isOfLibrary({ error: { stack = "" } }: Made): boolean {
  if (POOL.test(stack)) return false;
  const place = stack.split("\n").slice(1).find((line) => !OWN.test(line) && (LIBRARY.test(line) || OTHERS.test(line)));
  return place !== undefined && !OTHERS.test(place);
}

function watchTimers(): void {
  const { setTimeout: set, setInterval: repeat, clearTimeout: clear, clearInterval: stop } = globalThis;
  const timeout = (fn: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): unknown => {
    const timer: unknown = set(() => {
      timers.delete(timer);
      fn(...args);
    }, ms);
    timers.set(timer, note());
    return timer;
  };
  const interval = (fn: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): unknown => {
    const timer: unknown = repeat(fn, ms, ...args);
    timers.set(timer, note());
    return timer;
  };
  const forget = (end: (timer: never) => void) => (timer: unknown): void => {
    timers.delete(timer);
    end(timer as never);
  };
  Object.assign(globalThis, {
    setTimeout: Object.assign(timeout, { __proto__: set }),
    setInterval: interval,
    clearTimeout: forget(clear),
    clearInterval: forget(stop),
  });
}

function watchListeners(): void {
  const { prototype } = AbortSignal;
  const { addEventListener: add, removeEventListener: remove } = prototype;
  Object.assign(prototype, {
    addEventListener(this: AbortSignal, type: string, listener: unknown, options?: unknown): void {
      if (type === "abort" && !this.aborted) {
        const listening: Listening = listeners.get(this) ?? new Map<unknown, Made>();
        listeners.set(this, listening);
        if (!listening.has(listener)) listening.set(listener, note());
      }
      add.call(this, type, listener as never, options as never);
    },
    removeEventListener(this: AbortSignal, type: string, listener: unknown, options?: unknown): void {
      const listening = listeners.get(this);
      listening?.delete(listener);
      if (listening?.size === 0) listeners.delete(this);
      remove.call(this, type, listener as never, options as never);
    },
  });
}

watchTimers();
watchListeners();

/** A moment in a test: objects made earlier are not checked. */
export function markLeaks(): number {
  return made;
}

function isHeld(timer: unknown): boolean {
  const { hasRef } = timer as { hasRef?: () => boolean };
  return hasRef === undefined || hasRef.call(timer);
}

/** Throws if the library has left a timer that keeps the process alive, or a listener on an open signal, since that moment. */
export function assertNoLeaks(since: number): void {
  const left: string[] = [];
  for (const [timer, one] of timers) {
    if (one.order > since && isHeld(timer) && isOfLibrary(one)) left.push(`a timer, ${one.error.stack}`);
  }
  for (const [signal, listening] of listeners) {
    if (signal.aborted) listeners.delete(signal);
    else {for (const one of listening.values()) {
        if (one.order > since && isOfLibrary(one)) left.push(`an abort listener, ${one.error.stack}`);
      }}
  }
  if (left.length > 0) throw new Error(`Left when all was closed: ${left.length} in number, the first is ${left[0]}`);
}
