// The machine of incoming streams: its transitions, then its timers and its end in virtual time.
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { createActor, initialTransition, type SnapshotFrom, transition } from "xstate";
import { type IncomingActor, type IncomingEffects, type IncomingEvent, incomingStream } from "../../actors/incoming/machine.ts";
import { StreamError, type StreamErrorCode } from "../../errors.ts";
import { suite } from "../support/harness.ts";
import { muteWarnings } from "../support/mute_warnings.ts";
import { VirtualTime } from "../support/hub/virtual_time.ts";

const test = suite("incomingStream machine");

type State = "offered" | "receiving" | "closed" | "failed";
type Type = IncomingEvent["type"];

const STREAM = { streamId: "s", topic: "t", kind: "text", sender: "alice" } as const;
const UNCLAIMED = 5_000;
const SILENCE = 30_000;
const failure = new StreamError("corrupt", "Cannot go on in this test");

const EVENTS: Readonly<Record<Type, IncomingEvent>> = {
  "handler.found": { type: "handler.found", start: () => {}, window: undefined },
  "trailer.received": { type: "trailer.received" },
  "gap.found": { type: "gap.found" },
  "stream.consumed": { type: "stream.consumed" },
  "cancel.requested": { type: "cancel.requested", error: failure },
  "stream.broken": { type: "stream.broken", error: failure },
};
const types = Object.keys(EVENTS) as Type[];

/** Events that lead to each state that is not final. */
const WAYS = { offered: [], receiving: ["handler.found"] } as const satisfies Partial<Record<State, readonly Type[]>>;

const ENDS = { "cancel.requested": "failed", "stream.broken": "failed" } as const;
const CHANGES: Readonly<Record<keyof typeof WAYS, Partial<Record<Type, State>>>> = {
  offered: { ...ENDS, "handler.found": "receiving" },
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
      assert.is(next.context.error, expected === "failed" ? failure : undefined, type);
    }
  });
}

test("incomingStream: a handler claims the stream with its window, then is started, once", () => {
  const { actor, calls } = start();
  const found: IncomingEvent = { type: "handler.found", window: 70_000, start: () => void calls.push("started") };
  actor.send(found);
  actor.send(found);
  assert.equal(calls, ["claimed 70000", "started"]);
  actor.stop();
});

test("incomingStream: an unclaimed stream is refused after unclaimedTimeout, not before", async () => {
  const { actor, time, calls } = start();
  await time.advance(UNCLAIMED - 1);
  assert.is(actor.getSnapshot().value, "offered");
  await time.advance(1);
  assert.is(actor.getSnapshot().value, "failed");
  assert.equal(calls, ["fail refused"]);
  assert.is(time.pending, 0);
});

test("incomingStream: a stream claimed in time outlives unclaimedTimeout", async () => {
  const { actor, time } = start();
  await time.advance(UNCLAIMED - 1);
  actor.send(EVENTS["handler.found"]);
  await time.advance(UNCLAIMED);
  assert.is(actor.getSnapshot().value, "receiving");
  actor.stop();
});

test("incomingStream: a silent sender is given up after the silence, which each packet restarts", async () => {
  const { actor, time, calls, heard } = start();
  actor.send(EVENTS["handler.found"]);
  await time.advance(SILENCE - 1);
  heard();
  await time.advance(SILENCE - 1);
  assert.is(actor.getSnapshot().value, "receiving");
  await time.advance(1);
  assert.is(actor.getSnapshot().value, "failed");
  assert.equal(calls.slice(1), ["fail timeout"]);
  assert.is(time.pending, 0);
});

test("incomingStream: a gap shortens a running wait", async () => {
  const { actor, time, calls, shorten } = start();
  actor.send(EVENTS["handler.found"]);
  await time.advance(100);
  shorten(1_000);
  actor.send(EVENTS["gap.found"]);
  await time.advance(999);
  assert.is(actor.getSnapshot().value, "receiving");
  await time.advance(1);
  assert.equal(calls.slice(1), ["fail timeout"]);
});

test("incomingStream: in a final state no event has an effect", () => {
  for (const way of [["handler.found", "stream.consumed"], ["stream.broken"], ["handler.found", "cancel.requested"]] as const) {
    const { actor, time, calls } = start();
    for (const type of way) actor.send(EVENTS[type]);
    const { value } = actor.getSnapshot();
    const before = [...calls];
    assert.is(before.at(-1), value === "closed" ? "close" : "fail corrupt");
    for (const type of types) muteWarnings(() => actor.send(EVENTS[type]));
    actor.stop();
    assert.is(actor.getSnapshot().value, value);
    assert.equal(calls, before);
    assert.is(time.pending, 0);
  }
});

test("incomingStream: stopping the actor cancels the stream once, in any state", () => {
  for (const way of Object.values(WAYS)) {
    const { actor, time, calls } = start();
    for (const type of way) actor.send(EVENTS[type]);
    actor.stop();
    actor.stop();
    assert.equal(calls.filter((call) => !call.startsWith("claimed")), ["fail cancelled"]);
    assert.is(time.pending, 0);
  }
});

test("incomingStream: a stream ends at most once, whatever happens", () => {
  const law = fc.property(fc.array(fc.constantFrom(...types), { maxLength: 12 }), (way) => {
    const { actor, calls } = start();
    muteWarnings(() => way.forEach((type) => actor.send(EVENTS[type])));
    const { value, status } = actor.getSnapshot();
    assert.is(status === "done", value === "closed" || value === "failed");
    const ends = (): string[] => calls.filter((call) => !call.startsWith("claimed"));
    assert.equal(ends(), value === "closed" ? ["close"] : value === "failed" ? ["fail corrupt"] : []);
    actor.stop();
    assert.is(ends().length, 1);
  });
  fc.assert(law, { numRuns: 200 }); // prints its seed when it fails
});

test.run();

/** Snapshot at the end of a path of events. */
function follow(way: readonly Type[]): SnapshotFrom<typeof incomingStream> {
  const { effects } = fakeEffects(new VirtualTime(), []);
  let [snapshot] = initialTransition(incomingStream, { ...STREAM, effects });
  for (const type of way) [snapshot] = transition(incomingStream, snapshot, EVENTS[type]);
  return snapshot;
}

interface Started {
  readonly actor: IncomingActor;
  readonly time: VirtualTime;
  readonly calls: string[];
  /** Notes a packet of the sender. */
  readonly heard: () => void;
  /** Limits the silence from now on. */
  readonly shorten: (ms: number) => void;
}

function start(): Started {
  const calls: string[] = [];
  const time = new VirtualTime();
  const { effects, listen } = fakeEffects(time, calls);
  const actor = createActor(incomingStream, { input: { ...STREAM, effects }, clock: time }).start();
  return { actor, time, calls, heard: () => listen(SILENCE), shorten: listen };
}

function fakeEffects(time: VirtualTime, calls: string[]): { effects: IncomingEffects; listen: (ms: number) => void } {
  let silentAt = SILENCE;
  const fake = {
    ended: false,
    unclaimedTimeout: UNCLAIMED,
    claimed: (window: number | undefined) => void calls.push(`claimed ${window}`),
    untilSilent: () => Math.max(0, silentAt - time.now()),
    silence: () => time.now() < silentAt ? undefined : new StreamError("timeout", "Cannot hear anything in this test"),
    failure: (code: StreamErrorCode, why: string) => new StreamError(code, `Cannot go on as ${why}`),
    close: () => end("close"),
    fail: ({ code }: StreamError) => end(`fail ${code}`),
  };
  return {
    effects: fake,
    listen: (ms) => {
      silentAt = time.now() + ms;
    },
  };

  function end(call: string): void {
    calls.push(call);
    fake.ended = true;
  }
}
