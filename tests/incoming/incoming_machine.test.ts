// The machine of incoming streams: its transitions, its effects and its end.
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { type ActorRefFrom, createActor, initialTransition, type SnapshotFrom, transition } from "xstate";
import { type IncomingEffects, type IncomingEvent, incomingStream } from "../../actors/incoming/machine.ts";
import { StreamError, type StreamErrorCode } from "../../errors.ts";
import { suite } from "../support/harness.ts";
import { muteWarnings } from "../support/mute_warnings.ts";

const test = suite("incomingStream machine");

type State = "offered" | "receiving" | "closed" | "failed";
type Type = IncomingEvent["type"];

const STREAM = { streamId: "s", topic: "t", kind: "text", sender: "alice" } as const;
const failure = new StreamError("corrupt", "Cannot go on in this test");

const EVENTS: Readonly<Record<Type, IncomingEvent>> = {
  "handler.found": { type: "handler.found", start: () => {}, window: undefined },
  "trailer.received": { type: "trailer.received" },
  "gap.found": { type: "gap.found" },
  "stream.consumed": { type: "stream.consumed" },
  "deadline.passed": { type: "deadline.passed" },
  "cancel.requested": { type: "cancel.requested", error: failure },
  "stream.broken": { type: "stream.broken", error: failure },
};
const types = Object.keys(EVENTS) as Type[];

/** Events that lead to each state that is not final. */
const WAYS = { offered: [], receiving: ["handler.found"] } as const satisfies Partial<Record<State, readonly Type[]>>;

const ENDS = { "cancel.requested": "failed", "stream.broken": "failed" } as const;
const CHANGES: Readonly<Record<keyof typeof WAYS, Partial<Record<Type, State>>>> = {
  offered: { ...ENDS, "handler.found": "receiving", "deadline.passed": "failed" },
  receiving: { ...ENDS, "stream.consumed": "closed" },
};

for (const [state, way] of Object.entries(WAYS) as [keyof typeof WAYS, readonly Type[]][]) {
  test(`incomingStream in ${state}: each event leads to the right state`, () => {
    for (const type of types) {
      const snapshot = follow(way);
      assert.is(snapshot.value, state);
      const [next, actions] = transition(incomingStream, snapshot, EVENTS[type]);
      const expected = CHANGES[state][type] ?? state;
      assert.is(next.value, expected, type);
      const ending = actions.map((action) => action.type).filter((action) => action === "close" || action === "fail");
      assert.equal(ending, expected === "closed" ? ["close"] : expected === "failed" ? ["fail"] : [], type);
      assert.is(next.context.trailer, type === "trailer.received", type);
      const error = type in ENDS ? failure.code : expected === "failed" ? "refused" : undefined;
      assert.is(next.context.error?.code, error, type);
    }
  });
}

test("incomingStream: a handler claims the stream with its window, then is started, once", () => {
  const { actor, calls } = start();
  const found: IncomingEvent = { type: "handler.found", window: 70_000, start: () => void calls.push("started") };
  actor.send(found);
  actor.send(found);
  assert.equal(calls, ["await handler", "claimed 70000", "started", "await silence"]);
});

test("incomingStream: an unclaimed stream is refused when its deadline has passed", () => {
  const { actor, calls } = start();
  actor.send({ type: "deadline.passed" });
  assert.is(actor.getSnapshot().value, "failed");
  assert.equal(calls, ["await handler", "fail refused"]);
});

test("incomingStream: a silent sender is given up; a sign of life, or a gap, sets a new deadline", () => {
  const { actor, calls, silence } = start();
  actor.send(EVENTS["handler.found"]);
  calls.length = 0;
  for (const type of ["deadline.passed", "gap.found"] as const) {
    actor.send({ type });
    assert.equal(calls.splice(0), ["await silence"]);
    assert.is(actor.getSnapshot().value, "receiving");
  }
  silence();
  actor.send({ type: "deadline.passed" });
  assert.is(actor.getSnapshot().value, "failed");
  assert.equal(calls, ["fail timeout"]);
});

test("incomingStream: in a final state no event has an effect", () => {
  for (const way of [["handler.found", "stream.consumed"], ["stream.broken"], ["handler.found", "cancel.requested"]] as const) {
    const { actor, calls } = start();
    for (const type of way) actor.send(EVENTS[type]);
    const { value } = actor.getSnapshot();
    const before = [...calls];
    assert.is(before.at(-1), value === "closed" ? "close" : "fail corrupt");
    for (const type of types) muteWarnings(() => actor.send(EVENTS[type]));
    actor.stop();
    assert.is(actor.getSnapshot().value, value);
    assert.equal(calls, before);
  }
});

test("incomingStream: a stream ends at most once, whatever happens", () => {
  const law = fc.property(fc.array(fc.constantFrom(...types), { maxLength: 12 }), (way) => {
    const { actor, calls } = start();
    muteWarnings(() => way.forEach((type) => actor.send(EVENTS[type])));
    const { value, status } = actor.getSnapshot();
    assert.is(status === "done", value === "closed" || value === "failed");
    const ends = calls.filter((call) => /^(close|fail)/.test(call));
    assert.is(ends.length, status === "done" ? 1 : 0);
    if (status === "done") assert.is(calls.at(-1), ends[0]);
    assert.is(ends[0] === "close", value === "closed");
  });
  fc.assert(law, { numRuns: 200 }); // prints its seed when it fails
});

test.run();

/** Snapshot at the end of a path of events. */
function follow(way: readonly Type[]): SnapshotFrom<typeof incomingStream> {
  const { effects } = fakeEffects([]);
  let [snapshot] = initialTransition(incomingStream, { ...STREAM, effects });
  for (const type of way) [snapshot] = transition(incomingStream, snapshot, EVENTS[type]);
  return snapshot;
}

interface Started {
  readonly actor: ActorRefFrom<typeof incomingStream>;
  readonly calls: string[];
  /** Makes the sender silent for too long. */
  readonly silence: () => void;
}

function start(): Started {
  const calls: string[] = [];
  const { effects, silence } = fakeEffects(calls);
  const actor = createActor(incomingStream, { input: { ...STREAM, effects } }).start();
  return { actor, calls, silence };
}

function fakeEffects(calls: string[]): { effects: IncomingEffects; silence: () => void } {
  let isSilent = false;
  const effects: IncomingEffects = {
    claimed: (window) => void calls.push(`claimed ${window}`),
    awaitHandler: () => void calls.push("await handler"),
    awaitSilence: () => void calls.push("await silence"),
    silence: () => isSilent ? new StreamError("timeout", "Cannot hear anything in this test") : undefined,
    failure: (code: StreamErrorCode, why: string) => new StreamError(code, `Cannot go on as ${why}`),
    close: () => void calls.push("close"),
    fail: ({ code }: StreamError) => void calls.push(`fail ${code}`),
  };
  return { effects, silence: () => void (isSilent = true) };
}
