import type { AnyActorRef } from "xstate";

type Scheduler = AnyActorRef["system"]["scheduler"];
type Source = Parameters<Scheduler["cancelAll"]>[0];

/**
 * Lets a system of actors find the timers of one that stops. xstate itself looks through those of all: of a thousand streams that end, each
 * would pay for a thousand.
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
