import { type ActorRefFrom, assign, fromCallback, setup } from "xstate";
import type { StreamError } from "../../errors.ts";
import type { IncomingStream } from "./stream.ts";

/** What happens to a stream on its way in. */
export type IncomingEvent =
  | { type: "handler.found"; start: () => void; window: number | undefined }
  | { type: "trailer.received" }
  | { type: "gap.found" }
  | { type: "stream.taken" }
  | { type: "cancel.requested"; error: StreamError }
  | { type: "stream.broken"; error: StreamError };

/** What an inspector sees of it. */
export interface IncomingMachineContext {
  readonly streamId: string;
  readonly topic: string;
  readonly kind: "text" | "bytes";
  readonly sender: string;
  readonly stream: IncomingStream;
  /** That a trailer came is a fact, never the end of unread bytes. */
  readonly trailer: boolean;
  readonly error: StreamError | undefined;
}

/**
 * A stream on its way in: `offered → receiving → closed`, or `failed`. It is closed when its last byte has been taken and checked.
 */
const machine = setup({
  types: {
    context: {} as IncomingMachineContext,
    events: {} as IncomingEvent,
    input: {} as { stream: IncomingStream },
  },
  actors: {
    /** Holds what has come; its clean-up gives it back, whatever ends the actor. */
    holding: fromCallback<IncomingEvent, { stream: IncomingStream }>(({ input: { stream } }) => () => {
      if (!stream.ended) stream.fail(stream.failure("cancelled", "its actor was stopped"));
    }),
  },
  actions: {
    claim: ({ context, event }) => {
      if (event.type !== "handler.found") return;
      context.stream.claimed(event.window);
      event.start();
    },
    noteTrailer: assign({ trailer: true }),
    noteError: assign({ error: ({ event }) => ("error" in event ? event.error : undefined) }),
    noteUnclaimed: assign({
      error: ({ context: { stream } }) => stream.failure("refused", `nobody handles its topic "${stream.topic}"`),
    }),
    noteSilence: assign({ error: ({ context: { stream } }) => stream.silence() }),
    close: ({ context }) => context.stream.close(),
    fail: ({ context }) => {
      if (context.error !== undefined) context.stream.fail(context.error);
    },
  },
  guards: {
    isSilent: ({ context }) => context.stream.silence() !== undefined,
  },
  delays: {
    unclaimed: ({ context }) => context.stream.context.limits.unclaimedTimeout,
    silence: ({ context }) => context.stream.untilSilent(),
  },
}).createMachine({
  id: "incoming",
  context: ({ input: { stream } }) => ({
    streamId: stream.streamId,
    topic: stream.topic,
    kind: stream.description.kind,
    sender: stream.from,
    stream,
    trailer: false,
    error: undefined,
  }),
  invoke: { src: "holding", input: ({ context }) => ({ stream: context.stream }) },
  initial: "offered",
  on: {
    "stream.broken": { target: ".failed", actions: "noteError" },
    "cancel.requested": { target: ".failed", actions: "noteError" },
    "trailer.received": { actions: "noteTrailer" },
  },
  states: {
    offered: {
      after: { unclaimed: { target: "failed", actions: "noteUnclaimed" } },
      on: { "handler.found": { target: "receiving", actions: "claim" } },
    },
    receiving: {
      after: {
        // What was heard meanwhile has moved the end of the silence: the delay starts anew with what is left.
        silence: [{ guard: "isSilent", target: "failed", actions: "noteSilence" }, { target: "receiving", reenter: true }],
      },
      on: {
        "gap.found": { target: "receiving", reenter: true },
        "stream.taken": "closed",
      },
    },
    closed: { type: "final", entry: "close" },
    failed: { type: "final", entry: "fail" },
  },
});

/** The machine of a stream on its way in. */
export const incomingStream: typeof machine = machine;

/** A running one. */
export type IncomingActor = ActorRefFrom<typeof machine>;
