import { type ActorRefFrom, assign, fromCallback, setup } from "xstate";
import type { StreamError } from "../../errors.ts";

/** Events of an outgoing stream. */
export type OutgoingEvent =
  | { type: "bytes.written" }
  | { type: "close.requested" }
  | { type: "trailer.sent" }
  | { type: "receipts.settled" }
  | { type: "abort.requested"; error: StreamError }
  | { type: "pump.failed"; error: StreamError }
  | { type: "destinations.lost"; error: StreamError };

/** Effects of the machine, and answers for its guards and delays. Serialises to nothing, so that an inspector sees plain data. */
export interface OutgoingEffects {
  /** Starts the pump. Returns the call that stops it. */
  start(report: (event: OutgoingEvent) => void): () => void;
  /** Whether every awaited receipt has arrived. */
  readonly confirmed: boolean;
  /** Error if no receiver confirmed the whole stream. */
  readonly unconfirmed: StreamError | undefined;
  /** Drops the receivers that have stalled the stream for `limits.stallTimeout`. */
  sweepStalled(): void;
  /** Time until a receiver may have stalled too long, in ms. */
  untilStall(): number;
  complete(): void;
  fail(error: StreamError): void;
}

/** Identity of the stream, and the effects of its machine. */
export interface OutgoingInput {
  readonly streamId: string;
  readonly topic: string;
  readonly kind: "text" | "bytes";
  readonly effects: OutgoingEffects;
}

/** Context of the machine, as an inspector sees it. */
export interface OutgoingContext extends OutgoingInput {
  readonly error: StreamError | undefined;
}

/** Transitions once every awaited receipt has arrived: to "closed" unless no receiver confirmed the whole stream. */
const settled = [
  { guard: "isConfirmed", target: "closed" },
  { guard: "isRefused", target: "failed", actions: "noteUnconfirmed" },
] as const;

/**
 * An outgoing stream: `open → writing → closing → closed`, or `failed` from any of the first three. The root state invokes the pump: its
 * clean-up ends the stream however the actor stops.
 */
const machine = setup({
  types: {
    context: {} as OutgoingContext,
    events: {} as OutgoingEvent,
    input: {} as OutgoingInput,
  },
  actors: {
    pump: fromCallback<OutgoingEvent, OutgoingEffects>(({ input, sendBack }) => input.start(sendBack)),
  },
  actions: {
    sweepStalled: ({ context }) => context.effects.sweepStalled(),
    noteError: assign({ error: ({ event }) => ("error" in event ? event.error : undefined) }),
    noteUnconfirmed: assign({ error: ({ context }) => context.effects.unconfirmed }),
    complete: ({ context }) => context.effects.complete(),
    fail: ({ context }) => {
      if (context.error !== undefined) context.effects.fail(context.error);
    },
  },
  guards: {
    isConfirmed: ({ context }) => context.effects.confirmed && context.effects.unconfirmed === undefined,
    isRefused: ({ context }) => context.effects.confirmed && context.effects.unconfirmed !== undefined,
  },
  delays: {
    stall: ({ context }) => context.effects.untilStall(),
  },
}).createMachine({
  id: "outgoing",
  context: ({ input: { streamId, topic, kind, effects } }) => ({ streamId, topic, kind, effects, error: undefined }),
  invoke: { src: "pump", input: ({ context }) => context.effects },
  initial: "open",
  on: {
    "abort.requested": { target: ".failed", actions: "noteError" },
    "pump.failed": { target: ".failed", actions: "noteError" },
    "destinations.lost": { target: ".failed", actions: "noteError" },
  },
  states: {
    open: {
      on: { "bytes.written": "writing", "close.requested": "closing" },
    },
    writing: {
      after: { stall: { target: "writing", reenter: true, actions: "sweepStalled" } },
      on: { "close.requested": "closing" },
    },
    closing: {
      after: { stall: { target: "closing", reenter: true, actions: "sweepStalled" } },
      on: {
        "trailer.sent": [...settled, { target: "closing", reenter: true }], // restarts the stall timer for the receipts
        "receipts.settled": settled,
      },
    },
    closed: { type: "final", entry: "complete" },
    failed: { type: "final", entry: "fail" },
  },
});

/** Machine of an outgoing stream. */
export const outgoingStream: typeof machine = machine;

/** Actor of an outgoing stream. */
export type OutgoingActor = ActorRefFrom<typeof machine>;
