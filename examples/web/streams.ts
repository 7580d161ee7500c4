// States of the actors of all streams, as the runtime's inspector sees them.
import type { AnyActorRef, AnyStateMachine, InspectionEvent, SnapshotFrom } from "xstate";
import { byId, make } from "./elements.ts";

/** Number of streams that are shown. */
const MOST = 12;

/** Shows each stream with the states of its actor. Returns the option `inspect` of a runtime. */
export function showStreams(): (event: InspectionEvent) => void {
  const list = byId("actors");
  const rows = new Map<unknown, { states: string[]; path: HTMLElement }>(); // by actor, as actor ids are used again
  return (event) => {
    if (event.type !== "@xstate.snapshot") return;
    const { id } = event.actorRef as AnyActorRef;
    if (!/^(in|out):/.test(id)) return; // the runtime itself
    const { value, context, status } = event.snapshot as SnapshotFrom<AnyStateMachine>;
    let row = rows.get(event.actorRef);
    if (row === undefined) {
      const { topic, kind, sender } = context as { topic: string; kind: string; sender?: string };
      row = { states: [], path: make("span", "path") };
      rows.set(event.actorRef, row);
      const way = sender === undefined ? "out" : "in";
      list.prepend(make("li", way, make("span", "way", way), make("span", "topic", topic), make("span", "kind", kind), row.path));
      while (list.childElementCount > MOST) list.lastElementChild?.remove();
    }
    const state = String(value);
    if (row.states.at(-1) === state) return;
    row.states.push(state);
    row.path.append(make("span", `state ${state}`, state));
    if (status !== "active") rows.delete(event.actorRef);
  };
}
