import { type ActorRefFrom, assign, fromCallback, setup } from "xstate";
import type { StreamError, StreamErrorCode } from "../../errors.ts";

/** Events of an incoming stream. */
export type IncomingEvent =
  | { type: "handler.found"; start: () => void; window: number | undefined }
  | { type: "trailer.received" }
  | { type: "gap.found" }
  | { type: "stream.consumed" }
  | { type: "cancel.requested"; error: StreamError }
  | { type: "stream.broken"; error: StreamError };

/** Effects of the machine, and answers for its guards and delays. Serialises to nothing, so that an inspector sees plain data. */
export interface IncomingEffects {
  /** Whether the stream has ended. */
  readonly ended: boolean;
  /** Notes that a handler takes the stream, and its window if it asks for one. */
  claimed(window: number | undefined): void;
  /** Creates an error about the stream. */
  failure(code: StreamErrorCode, why: string): StreamError;
  /** Longest wait for a handler, in ms. */
  readonly unclaimedTimeout: number;
  /** Error of a sender that has been silent too long; undefined before. */
  silence(): StreamError | undefined;
  /** Time until the sender may have been silent too long, in ms. */
  untilSilent(): number;
  close(): void;
  fail(error: StreamError): void;
}

/** Identity of the stream, and the effects of its machine. */
export interface IncomingInput {
  readonly streamId: string;
  readonly topic: string;
  readonly kind: "text" | "bytes";
  readonly sender: string;
  readonly effects: IncomingEffects;
}

/** Context of the machine, as an inspector sees it. */
export interface MachineContext extends IncomingInput {
  /** Whether the trailer has come; unread bytes may still wait. */
  readonly trailer: boolean;
  readonly error: StreamError | undefined;
}

/**
 * An incoming stream: `offered → receiving → closed`, or `failed`. It closes when its last byte was consumed and checked.
 */
const machine = setup({
  types: {
    context: {} as MachineContext,
    events: {} as IncomingEvent,
    input: {} as IncomingInput,
  },
  actors: {
    /** Invoked for the stream's life: its clean-up runs whatever ends the actor. */
    holding: fromCallback<IncomingEvent, IncomingEffects>(({ input }) => () => {
      if (!input.ended) input.fail(input.failure("cancelled", "its actor was stopped"));
    }),
  },
  actions: {
    claim: ({ context, event }) => {
      if (event.type !== "handler.found") return;
      context.effects.claimed(event.window);
      event.start();
    },
    noteTrailer: assign({ trailer: true }),
    noteError: assign({ error: ({ event }) => ("error" in event ? event.error : undefined) }),
    noteUnclaimed: assign({
      error: ({ context: { effects, topic } }) => effects.failure("refused", `nobody handles its topic "${topic}"`),
    }),
    noteSilence: assign({ error: ({ context: { effects } }) => effects.silence() }),
    close: ({ context }) => context.effects.close(),
    fail: ({ context }) => {
      if (context.error !== undefined) context.effects.fail(context.error);
    },
  },
  guards: {
    isSilent: ({ context }) => context.effects.silence() !== undefined,
  },
  delays: {
    unclaimed: ({ context }) => context.effects.unclaimedTimeout,
    silence: ({ context }) => context.effects.untilSilent(),
  },
}).createMachine({
  id: "incoming",
  context: ({ input: { streamId, topic, kind, sender, effects } }) => ({
    streamId,
    topic,
    kind,
    sender,
    effects,
    trailer: false,
    error: undefined,
  }),
  invoke: { src: "holding", input: ({ context }) => context.effects },
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
        // A sign of life has moved the end of the silence: the delay restarts with the rest.
        silence: [{ guard: "isSilent", target: "failed", actions: "noteSilence" }, { target: "receiving", reenter: true }],
      },
      on: {
        "gap.found": { target: "receiving", reenter: true },
        "stream.consumed": "closed",
      },
    },
    closed: { type: "final", entry: "close" },
    failed: { type: "final", entry: "fail" },
  },
});

/** Machine of an incoming stream. */
export const incomingStream: typeof machine = machine;

/** Actor of an incoming stream. */
export type IncomingActor = ActorRefFrom<typeof machine>;
