// The machine of a runtime: its transitions, then its end.
import * as assert from "uvu/assert";
import { createActor, initialTransition, type SnapshotFrom, transition } from "xstate";
import { type RuntimeEvent, runtimeMachine } from "../../actors/runtime/machine.ts";
import { suite } from "../support/harness.ts";

const test = suite("runtimeMachine");

type State = "open" | "closing" | "closed";
const EVENTS = {
  "peer.joined": { type: "peer.joined", identity: "carol" },
  "peer.left": { type: "peer.left", identity: "bob" },
  "close.requested": { type: "close.requested" },
  closed: { type: "closed" },
  "xstate.error.actor.in:0": { type: "xstate.error.actor.in:0" },
} as const satisfies Partial<Record<RuntimeEvent["type"], RuntimeEvent>>;
type Type = keyof typeof EVENTS;
const types = Object.keys(EVENTS) as Type[];
const WAYS = { open: [], closing: ["close.requested"] } as const satisfies Partial<Record<State, readonly Type[]>>;
const CHANGES: Readonly<Record<keyof typeof WAYS, Partial<Record<Type, State>>>> = {
  open: { "close.requested": "closing", closed: "closed" },
  closing: { closed: "closed" },
};

for (const [state, way] of Object.entries(WAYS) as [keyof typeof WAYS, readonly Type[]][]) {
  test(`runtimeMachine in ${state}: each event leads to the right state`, () => {
    for (const type of types) {
      const snapshot = follow(way);
      assert.is(snapshot.value, state);
      const [next] = transition(runtimeMachine, snapshot, EVENTS[type]);
      assert.is(next.value, CHANGES[state][type] ?? state, type);
      assert.is(next.status, next.value === "closed" ? "done" : "active", type);
    }
  });
}

test("runtimeMachine: knows the participants while it is open", () => {
  const [joined] = transition(runtimeMachine, follow([]), EVENTS["peer.joined"]);
  assert.equal(joined.context.peers, ["bob", "carol"]);
  const [left] = transition(runtimeMachine, joined, EVENTS["peer.left"]);
  assert.equal(left.context.peers, ["carol"]);
});

test("runtimeMachine: ends its streams once, whatever ends it", () => {
  const ways: readonly (readonly Type[])[] = [[], ["close.requested"], ["closed"], ["close.requested", "closed"]];
  for (const way of ways) {
    let shutDowns = 0;
    const input = { identity: "alice", peers: [], shutDown: () => void shutDowns++ };
    const actor = createActor(runtimeMachine, { input }).start();
    for (const type of way) actor.send(EVENTS[type]);
    assert.is(shutDowns, way.includes("closed") ? 1 : 0);
    actor.stop();
    actor.stop();
    assert.is(shutDowns, 1);
  }
});

test.run();

/** Snapshot at the end of a path of events. */
function follow(way: readonly Type[]): SnapshotFrom<typeof runtimeMachine> {
  let [snapshot] = initialTransition(runtimeMachine, { identity: "alice", peers: ["bob"], shutDown: () => {} });
  for (const type of way) [snapshot] = transition(runtimeMachine, snapshot, EVENTS[type]);
  return snapshot;
}
