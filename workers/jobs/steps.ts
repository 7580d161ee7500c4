// Work as a generator of steps, written once for both kinds of thread: a worker runs the steps in one go, a thread with an event loop
// yields between them.

/** Work that yields results or promises, and gets back the results. */
export type Steps<T> = Generator<unknown, T, unknown>;

/** Synchronous or asynchronous result. */
export type MaybePromise<T> = T | Promise<T>;

/** Result of one step, for `yield*`. */
export function* resultOf<T>(step: MaybePromise<T>): Steps<T> {
  return (yield step) as T;
}

/** Runs steps synchronously. No step may yield a promise. */
export function runAtOnce<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next(step.value);
  return step.value;
}

/** Runs steps, and awaits yielded promises. */
export async function runInTurns<T>(steps: Steps<T>): Promise<T> {
  let step = steps.next();
  while (step.done !== true) {
    let result = step.value;
    if (result instanceof Promise) {
      try {
        result = await (result as Promise<unknown>);
      } catch (error) {
        step = steps.throw(error);
        continue;
      }
    }
    step = steps.next(result);
  }
  return step.value;
}
