// Cost of a stream's actor: its life against that of a bare xstate machine with as many states, in the same run. No bytes move.
import { type AnyActorLogic, createActor, createMachine } from "xstate";
import { type IncomingEffects, incomingStream } from "../../actors/incoming/machine.ts";
import { type OutgoingEffects, outgoingStream } from "../../actors/outgoing/machine.ts";
import { StreamError } from "../../mod.ts";
import type { FigureContext, Measure } from "./types.ts";
import { median } from "../probe.ts";

const LIVES = 4_000;
const STREAM = { streamId: "s", topic: "t", kind: "text" } as const;

/** Events that an actor gets in its life, from its start to a final state. */
export interface Life {
  readonly logic: AnyActorLogic;
  readonly input: () => unknown;
  readonly events: readonly { readonly type: string }[];
}

export const BARE: Life = {
  logic: createMachine({
    initial: "open",
    states: {
      open: { on: { write: "writing" } },
      writing: { on: { close: "closing" } },
      closing: { on: { end: "closed" } },
      closed: { type: "final" },
    },
  }),
  input: () => undefined,
  events: [{ type: "write" }, { type: "close" }, { type: "end" }],
};

const OUTGOING: Life = {
  logic: outgoingStream,
  input: () => ({ ...STREAM, effects: OUTGOING_EFFECTS }),
  events: [{ type: "bytes.written" }, { type: "close.requested" }, { type: "trailer.sent" }],
};

const INCOMING: Life = {
  logic: incomingStream,
  input: () => ({ ...STREAM, sender: "bob", effects: INCOMING_EFFECTS }),
  events: [
    { type: "handler.found", start: () => {} } as { type: string },
    { type: "trailer.received" },
    { type: "stream.consumed" },
  ],
};

const OUTGOING_EFFECTS: OutgoingEffects = {
  start: () => {},
  confirmed: true,
  unconfirmed: undefined,
  sweepStalled: () => {},
  awaitStall: () => {},
  complete: () => {},
  fail: () => {},
};

const INCOMING_EFFECTS: IncomingEffects = {
  claimed: () => {},
  failure: (code, why) => new StreamError(code, why),
  awaitHandler: () => {},
  silence: () => undefined,
  awaitSilence: () => {},
  close: () => {},
  fail: () => {},
};

export async function* actorFigures({ rounds, divisor }: FigureContext): AsyncGenerator<Measure, void, undefined> {
  const lives = Math.ceil(LIVES / divisor);
  for (const life of [BARE, OUTGOING, INCOMING]) await live(life, lives); // warms up
  const bare: number[] = [];
  const outgoing: number[] = [];
  const incoming: number[] = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(await live(BARE, lives));
    outgoing.push(await live(OUTGOING, lives));
    incoming.push(await live(INCOMING, lives));
  }
  for (const [id, what, times] of [["outgoing", "sent", outgoing], ["incoming", "received", incoming]] as const) {
    yield {
      id: `actor-${id}`,
      what: `life of the actor of a stream that is ${what}, against a bare machine of four states`,
      unit: "×",
      reach: 3.5,
      better: "less",
      runs: times.map((time, round) => time / (bare[round] ?? NaN)),
      note: `${median(times).toFixed(0)} against ${median(bare).toFixed(0)} µs`,
    };
  }
}

/** Milliseconds for a thousand lives, hence microseconds for one. */
export async function live({ logic, input, events }: Life, lives: number): Promise<number> {
  const began = performance.now();
  for (let count = 0; count < lives; count++) {
    const actor = createActor(logic, { input: input() }).start();
    for (const event of events) actor.send(event);
    if (actor.getSnapshot().status !== "done") throw new Error("Cannot measure the actor as it did not end");
    if (count % 100 === 0) await Promise.resolve();
  }
  return (performance.now() - began) * 1_000 / lives;
}
