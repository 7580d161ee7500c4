import { assign, setup } from "xstate";
import type { StreamError, StreamErrorCode } from "../../errors.ts";
import { type StreamActor, StreamMachine } from "../common/stream_actor.ts";

/** Events of an incoming stream. */
export type IncomingEvent =
  | { type: "handler.found"; start: () => void; window: number | undefined }
  | { type: "trailer.received" }
  | { type: "gap.found" }
  | { type: "stream.consumed" }
  | { type: "deadline.passed" }
  | { type: "cancel.requested"; error: StreamError }
  | { type: "stream.broken"; error: StreamError };

/** Effects of the machine, and answers for its guards. Serialises to nothing, so that an inspector sees plain data. */
export interface IncomingEffects {
  /** Notes that a handler takes the stream, and its window if it asks for one. */
  claimed(window: number | undefined): void;
  /** Creates an error about the stream. */
  failure(code: StreamErrorCode, why: string): StreamError;
  /** Sends "deadline.passed" unless the stream has a handler in time. */
  awaitHandler(): void;
  /** Error of a sender that has been silent too long; undefined before. */
  silence(): StreamError | undefined;
  /** Sends "deadline.passed" once the sender may have been silent too long. */
  awaitSilence(): void;
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
  actions: {
    awaitHandler: ({ context }) => context.effects.awaitHandler(),
    awaitSilence: ({ context }) => context.effects.awaitSilence(),
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
  initial: "offered",
  on: {
    "stream.broken": { target: ".failed", actions: "noteError" },
    "cancel.requested": { target: ".failed", actions: "noteError" },
    "trailer.received": { actions: "noteTrailer" },
  },
  states: {
    offered: {
      entry: "awaitHandler",
      on: {
        "handler.found": { target: "receiving", actions: "claim" },
        "deadline.passed": { target: "failed", actions: "noteUnclaimed" },
      },
    },
    receiving: {
      entry: "awaitSilence",
      on: {
        "gap.found": { actions: "awaitSilence" },
        // A sign of life may have moved the end of the silence: the wait restarts with the rest.
        "deadline.passed": [{ guard: "isSilent", target: "failed", actions: "noteSilence" }, { actions: "awaitSilence" }],
        "stream.consumed": "closed",
      },
    },
    closed: { type: "final", entry: "close" },
    failed: { type: "final", entry: "fail" },
  },
});

/** Machine of an incoming stream. */
export const incomingStream: typeof machine = machine;

/** Machine of an incoming stream, as streams run it. */
export const incomingMachine: StreamMachine = new StreamMachine(machine);

/** Actor of an incoming stream. */
export type IncomingActor = StreamActor<IncomingEvent>;
