import { assign, setup } from "xstate";
import type { StreamError } from "../../errors.ts";
import { type StreamActor, StreamMachine } from "../common/stream_actor.ts";

/** Events of an outgoing stream. */
export type OutgoingEvent =
  | { type: "bytes.written" }
  | { type: "close.requested" }
  | { type: "trailer.sent" }
  | { type: "receipts.settled" }
  | { type: "deadline.passed" }
  | { type: "abort.requested"; error: StreamError }
  | { type: "pump.failed"; error: StreamError }
  | { type: "destinations.lost"; error: StreamError };

/** Effects of the machine, and answers for its guards. Serialises to nothing, so that an inspector sees plain data. */
export interface OutgoingEffects {
  /** Starts the pump. */
  start(): void;
  /** Whether every awaited receipt has arrived. */
  readonly confirmed: boolean;
  /** Error if no receiver confirmed the whole stream. */
  readonly unconfirmed: StreamError | undefined;
  /** Drops the receivers that have stalled the stream for `limits.stallTimeout`. */
  sweepStalled(): void;
  /** Sends "deadline.passed" once a receiver may have stalled too long. */
  awaitStall(): void;
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
 * An outgoing stream: `open → writing → closing → closed`, or `failed` from any of the first three. The machine has no child actors and no
 * delays: the pump and the deadline are effects, which end with the stream.
 */
const machine = setup({
  types: {
    context: {} as OutgoingContext,
    events: {} as OutgoingEvent,
    input: {} as OutgoingInput,
  },
  actions: {
    start: ({ context }) => context.effects.start(),
    awaitStall: ({ context }) => context.effects.awaitStall(),
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
}).createMachine({
  id: "outgoing",
  context: ({ input: { streamId, topic, kind, effects } }) => ({ streamId, topic, kind, effects, error: undefined }),
  entry: "start",
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
      entry: "awaitStall",
      on: { "close.requested": "closing", "deadline.passed": { actions: ["sweepStalled", "awaitStall"] } },
    },
    closing: {
      entry: "awaitStall",
      on: {
        "trailer.sent": [...settled, { actions: "awaitStall" }], // restarts the deadline for the receipts
        "receipts.settled": settled,
        "deadline.passed": { actions: ["sweepStalled", "awaitStall"] },
      },
    },
    closed: { type: "final", entry: "complete" },
    failed: { type: "final", entry: "fail" },
  },
});

/** Machine of an outgoing stream. */
export const outgoingStream: typeof machine = machine;

/** Machine of an outgoing stream, as streams run it. */
export const outgoingMachine: StreamMachine = new StreamMachine(machine);

/** Actor of an outgoing stream. */
export type OutgoingActor = StreamActor<OutgoingEvent>;
