// The machine of outgoing streams: its transitions, then its timers and its end in virtual time.
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { createActor, initialTransition, type SnapshotFrom, transition } from "xstate";
import { type OutgoingActor, type OutgoingEffects, type OutgoingEvent, outgoingStream } from "../../actors/outgoing/machine.ts";
import { StreamError } from "../../errors.ts";
import { suite } from "../support/harness.ts";
import { muteWarnings } from "../support/mute_warnings.ts";
import { VirtualTime } from "../support/hub/virtual_time.ts";

const test = suite("outgoingStream machine");

type State = "open" | "writing" | "closing" | "closed" | "failed";
type Type = OutgoingEvent["type"];
/** States of the receipts: all present, some awaited, all present and none good. */
type Receipts = "good" | "due" | "bad";

const STREAM = { streamId: "s", topic: "t", kind: "text" } as const;
const STALL = 30_000;
const failure = new StreamError("aborted", "Cannot go on in this test");
const refusal = new StreamError("refused", "Cannot be taken in this test");

const EVENTS: Readonly<Record<Type, OutgoingEvent>> = {
  "bytes.written": { type: "bytes.written" },
  "close.requested": { type: "close.requested" },
  "trailer.sent": { type: "trailer.sent" },
  "receipts.settled": { type: "receipts.settled" },
  "abort.requested": { type: "abort.requested", error: failure },
  "pump.failed": { type: "pump.failed", error: failure },
  "destinations.lost": { type: "destinations.lost", error: failure },
};
const types = Object.keys(EVENTS) as Type[];

/** Events that lead to each state that is not final. */
const WAYS = {
  open: [],
  writing: ["bytes.written"],
  closing: ["bytes.written", "close.requested"],
} as const satisfies Partial<Record<State, readonly Type[]>>;

const ENDS = { "abort.requested": "failed", "pump.failed": "failed", "destinations.lost": "failed" } as const;
const CHANGES: Readonly<Record<keyof typeof WAYS, Partial<Record<Type, Readonly<Record<Receipts, State>> | State>>>> = {
  open: { ...ENDS, "bytes.written": "writing", "close.requested": "closing" },
  writing: { ...ENDS, "close.requested": "closing" },
  closing: {
    ...ENDS,
    "trailer.sent": { good: "closed", due: "closing", bad: "failed" },
    "receipts.settled": { good: "closed", due: "closing", bad: "failed" },
  },
};

for (const receipts of ["good", "due", "bad"] as const) {
  for (const [state, way] of Object.entries(WAYS) as [keyof typeof WAYS, readonly Type[]][]) {
    test(`outgoingStream in ${state}, receipts ${receipts}: each event leads to the right state`, () => {
      for (const type of types) {
        const { snapshot } = follow(receipts, way);
        assert.is(snapshot.value, state);
        const [next, actions] = transition(outgoingStream, snapshot, EVENTS[type]);
        const change = CHANGES[state][type] ?? state;
        const expected = typeof change === "string" ? change : change[receipts];
        assert.is(next.value, expected, type);
        const ending = actions.map((action) => action.type).filter((action) => action === "complete" || action === "fail");
        assert.equal(ending, expected === "closed" ? ["complete"] : expected === "failed" ? ["fail"] : [], type);
        const error = expected !== "failed" ? undefined : type in ENDS ? failure : refusal;
        assert.is(next.context.error, error, type);
      }
    });
  }
}

test("outgoingStream: a waiting stream is checked at each stall, writing and closing, after the first byte", async () => {
  const { actor, time, calls } = start("due");
  await time.advance(10 * STALL);
  assert.equal(calls, []);
  actor.send({ type: "bytes.written" });
  await time.advance(STALL - 1);
  assert.equal(calls, []);
  await time.advance(1);
  assert.equal(calls, ["sweep"]);
  await time.advance(2 * STALL);
  assert.equal(calls, ["sweep", "sweep", "sweep"]);
  actor.send({ type: "close.requested" });
  await time.advance(STALL);
  assert.equal(calls, ["sweep", "sweep", "sweep", "sweep"]);
  assert.is(actor.getSnapshot().value, "closing");
  actor.stop();
});

test("outgoingStream: a sweep that drops the last receiver ends the stream and its timer", async () => {
  const { actor, time, calls, effects } = start("due");
  effects.sweepStalled = () => actor.send({ type: "destinations.lost", error: failure });
  actor.send({ type: "bytes.written" });
  await time.advance(STALL);
  assert.is(actor.getSnapshot().value, "failed");
  assert.equal(calls, ["fail aborted", "pump stopped"]);
  assert.is(time.pending, 0);
});

test("outgoingStream: in a final state no event has an effect, and the pump is stopped once", () => {
  const ways: readonly (readonly [State, readonly Type[]])[] = [
    ["closed", ["close.requested", "trailer.sent"]],
    ["closed", ["bytes.written", "close.requested", "receipts.settled"]],
    ["failed", ["abort.requested"]],
    ["failed", ["bytes.written", "pump.failed"]],
    ["failed", ["close.requested", "destinations.lost"]],
  ];
  for (const [state, way] of ways) {
    const { actor, time, calls } = start("good");
    for (const type of way) actor.send(EVENTS[type]);
    assert.equal(calls, [state === "closed" ? "complete" : "fail aborted", "pump stopped"]);
    for (const type of types) muteWarnings(() => actor.send(EVENTS[type]));
    actor.stop();
    assert.is(actor.getSnapshot().value, state);
    assert.is(calls.length, 2);
    assert.is(time.pending, 0);
  }
});

test("outgoingStream: stopping the actor stops the pump once, in any state", () => {
  for (const way of Object.values(WAYS)) {
    const { actor, time, calls } = start("due");
    for (const type of way) actor.send(EVENTS[type]);
    actor.stop();
    actor.stop();
    assert.equal(calls, ["pump stopped"]);
    assert.is(time.pending, 0);
  }
});

test("outgoingStream: a stream and its pump end at most once, whatever happens", () => {
  const law = fc.property(
    fc.array(fc.constantFrom(...types), { maxLength: 12 }),
    fc.constantFrom("good", "due", "bad"),
    (way, receipts) => {
      const { actor, calls } = start(receipts as Receipts);
      muteWarnings(() => way.forEach((type) => actor.send(EVENTS[type])));
      const { value, status } = actor.getSnapshot();
      assert.is(status === "done", value === "closed" || value === "failed");
      const end = value === "closed" ? ["complete"] : value === "failed" ? [calls[0]] : [];
      assert.equal(calls, status === "done" ? [...end, "pump stopped"] : []);
      if (value === "failed") assert.ok(calls[0]?.startsWith("fail "));
      actor.stop();
      assert.is(calls.filter((call) => call === "pump stopped").length, 1);
    },
  );
  fc.assert(law, { numRuns: 200 }); // prints its seed when it fails
});

test.run();

/** Snapshot at the end of a path of events. */
function follow(receipts: Receipts, way: readonly Type[]): { snapshot: SnapshotFrom<typeof outgoingStream> } {
  let [snapshot] = initialTransition(outgoingStream, { ...STREAM, effects: fakeEffects(receipts, []) });
  for (const type of way) [snapshot] = transition(outgoingStream, snapshot, EVENTS[type]);
  return { snapshot };
}

function start(receipts: Receipts): { actor: OutgoingActor; time: VirtualTime; calls: string[]; effects: OutgoingEffects } {
  const calls: string[] = [];
  const time = new VirtualTime();
  const effects = fakeEffects(receipts, calls);
  const actor = createActor(outgoingStream, { input: { ...STREAM, effects }, clock: time }).start();
  return { actor, time, calls, effects };
}

function fakeEffects(receipts: Receipts, calls: string[]): OutgoingEffects {
  return {
    start: () => () => void calls.push("pump stopped"),
    confirmed: receipts !== "due",
    unconfirmed: receipts === "bad" ? refusal : undefined,
    untilStall: () => STALL,
    sweepStalled: () => void calls.push("sweep"),
    complete: () => void calls.push("complete"),
    fail: ({ code }: StreamError) => void calls.push(`fail ${code}`),
  };
}
