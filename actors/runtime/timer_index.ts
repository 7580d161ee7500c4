import type { AnyActorRef } from "xstate";

type Scheduler = AnyActorRef["system"]["scheduler"];
type Source = Parameters<Scheduler["cancelAll"]>[0];

/**
 * Indexes an actor system's timers by actor. When an actor stops, xstate itself searches the timers of all actors, which is quadratic for
 * 1,000 streams that end together.
 */
export function indexTimers({ scheduler }: AnyActorRef["system"]): void {
  const schedule = scheduler.schedule.bind(scheduler);
  /** Timer ids of each actor. Fired ones stay in the set; cancelling them does nothing. */
  const own = new WeakMap<Source, Set<string>>();
  scheduler.schedule = (source, target, event, delay, id = crypto.randomUUID()) => {
    const ids = own.get(source);
    if (ids === undefined) own.set(source, new Set([id]));
    else ids.add(id);
    schedule(source, target, event, delay, id);
  };
  scheduler.cancelAll = (source) => {
    for (const id of own.get(source) ?? []) scheduler.cancel(source, id);
    own.delete(source);
  };
}
