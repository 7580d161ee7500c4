import * as assert from "uvu/assert";
import { type Actor, type AnyActorRef, createActor, createMachine } from "xstate";
import { indexTimers } from "../../actors/runtime/timer_index.ts";
import { createHub, createRuntime } from "../../mod.ts";
import { suite } from "../support/harness.ts";
import { VirtualTime } from "../support/hub/virtual_time.ts";

const patient = createMachine({
  initial: "early",
  states: { early: { after: { 10: "late" } }, late: { after: { 1000: "over" } }, over: { type: "final" } },
  on: { "end.requested": ".over" },
});

const test = suite("indexTimers");

test("indexTimers: an actor that ends takes its own timers along, and no other's", async () => {
  const time = new VirtualTime();
  const root = createActor(createMachine({}), { clock: time });
  indexTimers(root.system);
  root.start();
  const children = [child(root), child(root), child(root)];
  const [ended, endedLate] = children;
  ended?.send({ type: "end.requested" });
  await time.advance(20);
  assert.equal(children.map((actor) => actor.getSnapshot().value), ["over", "late", "late"]);
  endedLate?.send({ type: "end.requested" });
  assert.is(time.pending, 1);
  await time.advance(2000);
  assert.equal(children.map((actor) => actor.getSnapshot().value), ["over", "over", "over"]);
  assert.is(time.pending, 0);
});

test("indexTimers: when an actor ends, the timers of others are not searched", async () => {
  const alice = await createRuntime({ transport: createHub().join("alice") });
  const children = Array.from({ length: 100 }, () => child(alice.actor));
  const inner = (alice.actor.system as unknown as { _snapshot: { _scheduledEvents: object } })._snapshot;
  let looks = 0;
  inner._scheduledEvents = new Proxy(inner._scheduledEvents, {
    ownKeys(target) {
      looks++;
      return Reflect.ownKeys(target);
    },
  });
  for (const actor of children) actor.send({ type: "end.requested" });
  assert.is(looks, 0);
  assert.equal(Object.keys(inner._scheduledEvents), []);
  await alice.close();
});

test.run();

function child(parent: AnyActorRef): Actor<typeof patient> {
  return createActor(patient, { parent }).start();
}
