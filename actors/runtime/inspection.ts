import type { AnyActorRef } from "xstate";

/** Calls a function after each inspector that a user adds to an actor system. */
export function onInspector({ system }: AnyActorRef, added: () => void): void {
  const inspect = system.inspect.bind(system);
  system.inspect = (observer) => {
    const subscription = inspect(observer);
    added();
    return subscription;
  };
}
