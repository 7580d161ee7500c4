// The machine of outgoing streams: its transitions, its effects and its end.
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { type ActorRefFrom, createActor, initialTransition, type SnapshotFrom, transition } from "xstate";
import { type OutgoingEffects, type OutgoingEvent, outgoingStream } from "../../actors/outgoing/machine.ts";
import { StreamError } from "../../errors.ts";
import { suite } from "../support/harness.ts";
import { muteWarnings } from "../support/mute_warnings.ts";

const test = suite("outgoingStream machine");

type State = "open" | "writing" | "closing" | "closed" | "failed";
type Type = OutgoingEvent["type"];
/** States of the receipts: all present, some awaited, all present and none good. */
type Receipts = "good" | "due" | "bad";

const STREAM = { streamId: "s", topic: "t", kind: "text" } as const;
const failure = new StreamError("aborted", "Cannot go on in this test");
const refusal = new StreamError("refused", "Cannot be taken in this test");

const EVENTS: Readonly<Record<Type, OutgoingEvent>> = {
  "bytes.written": { type: "bytes.written" },
  "close.requested": { type: "close.requested" },
  "trailer.sent": { type: "trailer.sent" },
  "receipts.settled": { type: "receipts.settled" },
  "deadline.passed": { type: "deadline.passed" },
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

test("outgoingStream: each wait for a receiver has a deadline, after the first byte; a passed one sweeps", () => {
  const { actor, calls } = start("due");
  assert.equal(calls, ["start"]);
  actor.send({ type: "deadline.passed" });
  assert.equal(calls.splice(0), ["start"]);
  actor.send({ type: "bytes.written" });
  assert.equal(calls.splice(0), ["wait"]);
  actor.send({ type: "deadline.passed" });
  assert.equal(calls.splice(0), ["sweep", "wait"]);
  actor.send({ type: "close.requested" });
  assert.equal(calls.splice(0), ["wait"]);
  actor.send({ type: "trailer.sent" });
  assert.equal(calls.splice(0), ["wait"]);
  actor.send({ type: "deadline.passed" });
  assert.equal(calls, ["sweep", "wait"]);
  assert.is(actor.getSnapshot().value, "closing");
});

test("outgoingStream: a sweep that drops the last receiver ends the stream", () => {
  const { actor, calls, effects } = start("due");
  effects.sweepStalled = () => actor.send({ type: "destinations.lost", error: failure });
  actor.send({ type: "bytes.written" });
  actor.send({ type: "deadline.passed" });
  assert.is(actor.getSnapshot().value, "failed");
  assert.is(calls.at(-1), "fail aborted");
});

test("outgoingStream: in a final state no event has an effect", () => {
  const ways: readonly (readonly [State, readonly Type[]])[] = [
    ["closed", ["close.requested", "trailer.sent"]],
    ["closed", ["bytes.written", "close.requested", "receipts.settled"]],
    ["failed", ["abort.requested"]],
    ["failed", ["bytes.written", "pump.failed"]],
    ["failed", ["close.requested", "destinations.lost"]],
  ];
  for (const [state, way] of ways) {
    const { actor, calls } = start("good");
    for (const type of way) actor.send(EVENTS[type]);
    assert.is(calls.at(-1), state === "closed" ? "complete" : "fail aborted");
    const before = [...calls];
    for (const type of types) muteWarnings(() => actor.send(EVENTS[type]));
    actor.stop();
    assert.is(actor.getSnapshot().value, state);
    assert.equal(calls, before);
  }
});

test("outgoingStream: a stream ends at most once, whatever happens", () => {
  const law = fc.property(
    fc.array(fc.constantFrom(...types), { maxLength: 12 }),
    fc.constantFrom("good", "due", "bad"),
    (way, receipts) => {
      const { actor, calls } = start(receipts as Receipts);
      muteWarnings(() => way.forEach((type) => actor.send(EVENTS[type])));
      const { value, status } = actor.getSnapshot();
      assert.is(status === "done", value === "closed" || value === "failed");
      const ends = calls.filter((call) => /^(complete|fail)/.test(call));
      assert.is(ends.length, status === "done" ? 1 : 0);
      if (status === "done") assert.is(calls.at(-1), ends[0]);
      assert.is(ends[0] === "complete", value === "closed");
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

interface Started {
  readonly actor: ActorRefFrom<typeof outgoingStream>;
  readonly calls: string[];
  readonly effects: OutgoingEffects;
}

function start(receipts: Receipts): Started {
  const calls: string[] = [];
  const effects = fakeEffects(receipts, calls);
  const actor = createActor(outgoingStream, { input: { ...STREAM, effects } }).start();
  return { actor, calls, effects };
}

function fakeEffects(receipts: Receipts, calls: string[]): OutgoingEffects {
  return {
    start: () => void calls.push("start"),
    confirmed: receipts !== "due",
    unconfirmed: receipts === "bad" ? refusal : undefined,
    awaitStall: () => void calls.push("wait"),
    sweepStalled: () => void calls.push("sweep"),
    complete: () => void calls.push("complete"),
    fail: ({ code }: StreamError) => void calls.push(`fail ${code}`),
  };
}
