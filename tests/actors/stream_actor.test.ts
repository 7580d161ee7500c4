// Streams without an actor: their machines' pure transitions, and the actor that they become when somebody looks.
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { createActor, createMachine, type EventObject, fromPromise, setup } from "xstate";
import { ActorIds } from "../../actors/common/actor_ids.ts";
import { Deadlines } from "../../actors/common/deadlines.ts";
import { FlatMachine } from "../../actors/common/flat_machine.ts";
import { StreamActor, type StreamMachine } from "../../actors/common/stream_actor.ts";
import { incomingMachine } from "../../actors/incoming/machine.ts";
import { outgoingMachine } from "../../actors/outgoing/machine.ts";
import { StreamError } from "../../errors.ts";
import { suite } from "../support/harness.ts";
import { inPair, inVirtualPair } from "../support/hub/hub_fixture.ts";
import { muteWarnings } from "../support/mute_warnings.ts";
import { VirtualTime } from "../support/hub/virtual_time.ts";

const test = suite("StreamActor");

const error = new StreamError("aborted", "Cannot go on in this test");

/** A machine, its events, and effects that note their calls and answer guards as told. */
interface Subject {
  readonly machine: StreamMachine;
  readonly events: readonly EventObject[];
  effects(calls: string[], answers: readonly boolean[]): object;
}

const SUBJECTS: Readonly<Record<string, Subject>> = {
  outgoing: {
    machine: outgoingMachine,
    events: [
      { type: "bytes.written" },
      { type: "close.requested" },
      { type: "trailer.sent" },
      { type: "receipts.settled" },
      { type: "deadline.passed" },
      { type: "abort.requested", error } as EventObject,
      { type: "unheard.of" },
    ],
    effects: (calls, [confirmed = false, refused = false]) => ({
      confirmed,
      unconfirmed: refused ? error : undefined,
      ...noting(calls, ["start", "awaitStall", "sweepStalled", "complete", "fail"]),
    }),
  },
  incoming: {
    machine: incomingMachine,
    events: [
      { type: "handler.found", window: 5, start: () => {} } as EventObject,
      { type: "trailer.received" },
      { type: "gap.found" },
      { type: "stream.consumed" },
      { type: "deadline.passed" },
      { type: "stream.broken", error } as EventObject,
      { type: "unheard.of" },
    ],
    effects: (calls, [silent = false]) => ({
      silence: () => silent ? error : undefined,
      failure: () => error,
      ...noting(calls, ["awaitHandler", "awaitSilence", "claimed", "close", "fail"]),
    }),
  },
};

for (const [name, subject] of Object.entries(SUBJECTS)) {
  test(`StreamActor of an ${name} stream: has xstate's states, contexts and effects after any events`, () => {
    const law = fc.property(
      fc.array(fc.constantFrom(...subject.events), { maxLength: 10 }),
      fc.tuple(fc.boolean(), fc.boolean()),
      fc.nat(10),
      (events, answers, look) => {
        const expected = begin(subject, answers, true);
        const got = begin(subject, answers, false);
        events.forEach((event, index) => {
          muteWarnings(() => expected.actor.send(event));
          if (index === look) assert.is(got.actor.ref, got.actor.ref);
          muteWarnings(() => got.actor.send(event));
          assert.is(got.actor.value, expected.actor.value);
          assert.equal(got.calls, expected.calls);
        });
        const [mine, xstates] = [got, expected].map(({ actor }) => actor.ref.getSnapshot());
        assert.is(mine.status, xstates.status);
        for (const key of ["trailer", "error", "streamId"]) assert.is(mine.context[key], xstates.context[key], key);
      },
    );
    fc.assert(law, { numRuns: 400 }); // prints its seed when it fails
  });
}

test("StreamActor: an event that an effect sends comes after the other effects of its transition", () => {
  for (const isInspected of [false, true]) {
    const { actor, calls, effects } = begin(SUBJECTS["outgoing"] as Subject, [false, false], isInspected);
    Object.assign(effects, {
      sweepStalled: () => {
        calls.push("sweepStalled");
        actor.send({ type: "abort.requested", error } as EventObject);
      },
    });
    actor.send({ type: "bytes.written" });
    calls.length = 0;
    actor.send({ type: "deadline.passed" });
    assert.equal(calls, ["sweepStalled", "awaitStall", "fail"]);
    assert.is(actor.value, "failed");
  }
});

test("StreamActor.ref: has an id while the stream is open, which is then used again", () => {
  const ids = new ActorIds("s");
  const all = [1, 2].map(() => begin(SUBJECTS["incoming"] as Subject, [], false, ids));
  assert.is(ids.take(), "s:0", "streams that nobody looks at have no id");
  for (const { actor, stops } of all) {
    assert.is(actor.ref.id, "s:1");
    assert.equal(stops, []);
    actor.send({ type: "stream.broken", error } as EventObject);
    assert.equal(stops, ["stopped"]);
    assert.is(actor.ref.getSnapshot().status, "done");
  }
});

test("FlatMachine: refuses a machine with more than flat states", () => {
  const wrong = {
    invocation: createMachine({ initial: "a", states: { a: { invoke: { src: fromPromise(() => Promise.resolve()) } } } }),
    delay: createMachine({ initial: "a", states: { a: { after: { 5: "a" } } } }),
    nesting: createMachine({ initial: "a", states: { a: { initial: "b", states: { b: {} } } } }),
    exit: createMachine({ initial: "a", states: { a: { exit: () => {} } } }),
    always: createMachine({ initial: "a", states: { a: { always: "b" }, b: {} } }),
    wildcard: createMachine({ initial: "a", states: { a: { on: { "*": "b" } }, b: {} } }),
    "inline action": createMachine({ initial: "a", states: { a: { entry: () => {} } } }),
    "unknown action": setup({}).createMachine({ initial: "a", states: { a: { entry: "unheard of" as never } } }),
  };
  for (const [name, machine] of Object.entries(wrong)) {
    assert.throws(() => new FlatMachine(machine), /Cannot run the machine .* without an actor/, name);
  }
});

test("StreamWriter.actor: first looked at in any state, has the state and goes on", async () => {
  await inPair(async (alice, bob) => {
    const texts: string[] = [];
    bob.registerTextStreamHandler("t", async (reader) => void texts.push(await reader.readAll()));
    const looks = ["open", "writing", "closed"];
    for (const look of looks) {
      const writer = await alice.streamText({ topic: "t", confirm: true });
      const actor = (state: string): void => {
        if (state === look) assert.is(writer.actor.getSnapshot().value, state);
      };
      actor("open");
      await writer.write(look);
      actor("writing");
      await writer.close();
      actor("closed");
      assert.is(writer.actor.getSnapshot().value, "closed");
      assert.is(writer.actor.getSnapshot().status, "done");
    }
    assert.equal(texts, looks);
  });
});

test("runtime.actor.system.inspect: an inspector added late sees the open streams and the next ones", async () => {
  await inVirtualPair(async (alice, bob, { time }) => {
    bob.runtime.registerTextStreamHandler("t", async (reader) => void await reader.readAll());
    const writer = await time.run(alice.runtime.streamText({ topic: "t", streamId: "early" }));
    await writer.write("x");
    await time.advance(0);
    const seen: string[] = [];
    alice.runtime.actor.system.inspect((event) => {
      if (event.type !== "@xstate.snapshot") return;
      const { value, context } = event.snapshot as unknown as { value: string; context?: { streamId?: string } };
      if (context?.streamId !== undefined && seen.at(-1) !== `${context.streamId} ${value}`) {
        seen.push(`${context.streamId} ${value}`);
      }
    });
    await time.run(writer.close());
    await time.run(alice.runtime.sendText("y", { topic: "t", streamId: "late" }));
    assert.equal(seen, [
      "early writing",
      "early closing",
      "early closed",
      "late open",
      "late writing",
      "late closing",
      "late closed",
    ]);
  });
});

const BREAKING = {
  reader: ["stream.broken", "cancel.requested"],
  writer: ["abort.requested", "pump.failed", "destinations.lost"],
} as const;

for (const [end, types] of Object.entries(BREAKING) as ["reader" | "writer", readonly string[]][]) {
  for (const type of types) {
    const code = end === "reader" ? "cancelled" : "aborted";
    test(`actor of a ${end}: a "${type}" that breaks it ends the stream at both ends, and no other`, async () => {
      await inVirtualPair(async (alice, bob, { time }) => {
        const errors: (string | undefined)[] = [];
        const texts: string[] = [];
        bob.runtime.registerTextStreamHandler("t", async (reader) => {
          if (end === "reader" && texts.length === 0 && errors.length === 0) reader.actor.send(breaking(type));
          await reader.readAll().then((text) => texts.push(text), ({ code }: StreamError) => errors.push(code));
        });
        const writer = await time.run(alice.runtime.streamText({ topic: "t", confirm: true }));
        await writer.write("x");
        await time.advance(10);
        if (end === "writer") writer.actor.send(breaking(type));
        await time.advance(10);
        assert.equal(errors, [code]);
        const failure = await writer.close().then(() => undefined, (cause: StreamError) => cause);
        assert.is(failure?.code, code);
        await time.run(alice.runtime.sendText("the next", { topic: "t", confirm: true }));
        assert.equal(texts, ["the next"]);
        for (const { runtime } of [alice, bob]) assert.is(runtime.actor.getSnapshot().value, "open");
      });
    });
  }
}

test.run();

interface Begun {
  readonly actor: StreamActor<EventObject>;
  readonly calls: string[];
  readonly effects: object;
  readonly stops: string[];
}

function begin(subject: Subject, answers: readonly boolean[], isInspected: boolean, ids: ActorIds = new ActorIds("s")): Begun {
  const calls: string[] = [];
  const stops: string[] = [];
  const effects = subject.effects(calls, answers);
  const parent = createActor(createMachine({}));
  const place = { parent: () => parent, isInspected: () => isInspected, ids, deadlines: new Deadlines(new VirtualTime()) };
  const input = { streamId: "s", topic: "t", kind: "text", sender: "alice", effects };
  const actor = new StreamActor<EventObject>(subject.machine, input, place, () => void stops.push("stopped"));
  actor.start();
  return { actor, calls, effects, stops };
}

/** An event whose error cannot be read. */
function breaking(type: string): EventObject {
  return {
    type,
    get error(): never {
      throw new Error("the user's own");
    },
  } as EventObject;
}

function noting(calls: string[], names: readonly string[]): Record<string, () => void> {
  return Object.fromEntries(names.map((name) => [name, () => void calls.push(name)]));
}
