import { type ActorRefFrom, assign, fromCallback, setup } from "xstate";
import type { StreamError } from "../../errors.ts";
import { OutgoingPump } from "./pump.ts";
import type { OutgoingStream } from "./stream.ts";

/** What happens to a stream on its way out. */
export type OutgoingEvent =
  | { type: "bytes.written" }
  | { type: "close.requested" }
  | { type: "trailer.sent" }
  | { type: "receipts.settled" }
  | { type: "abort.requested"; error: StreamError }
  | { type: "pump.failed"; error: StreamError }
  | { type: "destinations.lost"; error: StreamError };

/** What an inspector sees of it. */
export interface OutgoingContext {
  readonly streamId: string;
  readonly topic: string;
  readonly kind: "text" | "bytes";
  readonly stream: OutgoingStream;
  readonly error: StreamError | undefined;
}

/** Whole, or with nobody that has it, once all receipts that are waited for have come. */
const settled = [
  { guard: "isConfirmed", target: "closed" },
  { guard: "isRefused", target: "failed", actions: "noteUnconfirmed" },
] as const;

/**
 * A stream on its way out: `open → writing → closing → closed`, or `failed` from any of them. The pump is invoked for its whole life;
 * whatever ends the actor, the pump's clean-up ends the stream.
 */
const machine = setup({
  types: {
    context: {} as OutgoingContext,
    events: {} as OutgoingEvent,
    input: {} as { stream: OutgoingStream },
  },
  actors: {
    pump: fromCallback<OutgoingEvent, { stream: OutgoingStream }>(({ input, sendBack }) => {
      const pump = new OutgoingPump(input.stream, sendBack);
      input.stream.pumped = pump.run(); // never rejects: it reports
      return () => pump.stop();
    }),
  },
  actions: {
    sweepStalled: ({ context }) => context.stream.sweepStalled(),
    noteError: assign({ error: ({ event }) => ("error" in event ? event.error : undefined) }),
    noteUnconfirmed: assign({ error: ({ context }) => context.stream.unconfirmed }),
    complete: ({ context }) => context.stream.complete(),
    fail: ({ context }) => {
      if (context.error !== undefined) context.stream.fail(context.error);
    },
  },
  guards: {
    isConfirmed: ({ context }) => context.stream.confirmed && context.stream.unconfirmed === undefined,
    isRefused: ({ context }) => context.stream.confirmed && context.stream.unconfirmed !== undefined,
  },
  delays: {
    stall: ({ context }) => context.stream.untilStall(),
  },
}).createMachine({
  id: "outgoing",
  context: ({ input: { stream } }) => ({
    streamId: stream.streamId,
    topic: stream.spec.description.info.topic,
    kind: stream.spec.description.kind,
    stream,
    error: undefined,
  }),
  invoke: { src: "pump", input: ({ context }) => ({ stream: context.stream }) },
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
        "trailer.sent": [...settled, { target: "closing", reenter: true }], // receipts are waited for from now on
        "receipts.settled": settled,
      },
    },
    closed: { type: "final", entry: "complete" },
    failed: { type: "final", entry: "fail" },
  },
});

/** The machine of a stream on its way out. */
export const outgoingStream: typeof machine = machine;

/** A running one. */
export type OutgoingActor = ActorRefFrom<typeof machine>;
