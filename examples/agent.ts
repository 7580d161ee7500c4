// Agent as a machine. It gets questions as texts on the topic "questions", and streams answers as texts on "answers", word by word. With each
// answer it sends a report as a file on "reports". It serves any number of participants at once, in any room: livekit_agent.ts uses a LiveKit
// room, a test a hub.
import { assertEvent, assign, type DoneActorEvent, emit, fromPromise, setup, spawnChild, stopChild } from "xstate";
import type { Runtime } from "../mod.ts"; // in a program of yours: from "millrace"
import { sendFileActor, sendTextActor, streamListener, type StreamProgressEvent, type TextReceivedEvent } from "../actors/mod.ts"; // "millrace/actors"

/** Input of the agent. */
export interface AgentInput {
  readonly runtime: Runtime;
  /** Path of the file that is sent with each answer. */
  readonly report: string;
  /** Generator of an answer, in pieces. The signal is aborted when nobody needs the answer. */
  readonly think: (question: string, signal: AbortSignal) => AsyncIterable<string>;
}

/** Event that the agent emits after a conversation: `actor.on("conversation.ended", …)`. */
export interface ConversationEnded {
  readonly type: "conversation.ended";
  readonly asker: string;
  readonly question: string;
  /** Errors of reading, thinking and sending. */
  readonly failures: readonly unknown[];
}

interface ConversationInput extends AgentInput {
  readonly asked: TextReceivedEvent;
}

interface ConversationContext extends ConversationInput {
  readonly question: string;
  readonly failures: readonly unknown[];
}

/** Streams the answer. Leaving the state or stopping the agent aborts the stream at both ends. */
const answer = fromPromise<void, ConversationContext>(async ({ input, signal }) => {
  const { runtime, think, question } = input;
  await using writer = await runtime.streamText({ ...replyText(input), topic: "answers", signal });
  for await (const piece of think(question, signal)) await writer.write(piece); // each piece is sent at once
  await writer.close(); // without `close`, as after an error, the writer is aborted: a partial answer never looks complete
});

/** Options of a reply to the asker. The attribute names the question for files too, and for SDKs without `replyToId`. */
function reply({ asked }: ConversationInput): { destinationIdentities: string[]; attributes: { question: string } } {
  return { destinationIdentities: [asked.sender.identity], attributes: { question: asked.reader.info.streamId } };
}

/** Options of a reply by text, with the id of the question. */
function replyText(input: ConversationInput): ReturnType<typeof reply> & { replyToId: string } {
  return { ...reply(input), replyToId: input.asked.reader.info.streamId };
}

const conversation = setup({
  types: {
    input: {} as ConversationInput,
    context: {} as ConversationContext,
    events: {} as StreamProgressEvent,
    output: {} as ConversationEnded,
  },
  actors: {
    read: fromPromise<string, ConversationInput>(({ input: { asked }, signal }) => asked.reader.readAll({ signal })),
    answer,
    sendTextActor,
    sendFileActor,
  },
  actions: {
    noteFailure: assign({
      failures: ({ context, event }) => "error" in event ? [...context.failures, event.error] : context.failures,
    }),
  },
}).createMachine({
  id: "conversation",
  context: ({ input }) => ({ ...input, question: "", failures: [] }),
  initial: "reading",
  states: {
    reading: {
      invoke: {
        src: "read",
        input: ({ context }) => context,
        onDone: { target: "replying", actions: assign({ question: ({ event }) => event.output }) },
        onError: { target: "ended", actions: "noteFailure" },
      },
    },
    replying: {
      type: "parallel", // the answer does not wait for the file: words are sent first
      states: {
        answer: {
          initial: "streaming",
          states: {
            streaming: {
              invoke: {
                src: "answer",
                input: ({ context }) => context,
                onDone: "done",
                onError: { target: "excusing", actions: "noteFailure" },
              },
            },
            excusing: {
              invoke: {
                src: "sendTextActor",
                input: ({ context }) => ({
                  runtime: context.runtime,
                  text: "Sorry, I cannot answer that.",
                  options: { ...replyText(context), topic: "answers" },
                }),
                onDone: "done",
                onError: { target: "done", actions: "noteFailure" }, // the asker may have left
              },
            },
            done: { type: "final" },
          },
        },
        report: {
          initial: "sending",
          states: {
            sending: {
              invoke: {
                src: "sendFileActor",
                input: ({ context }) => ({
                  runtime: context.runtime,
                  path: context.report,
                  options: { ...reply(context), topic: "reports" },
                }),
                onDone: "done", // the receipt has come, so the asker has the file
                onError: { target: "done", actions: "noteFailure" },
              },
            },
            done: { type: "final" },
          },
        },
      },
      onDone: "ended",
    },
    ended: { type: "final" },
  },
  output: ({ context: { asked, question, failures } }) => ({
    type: "conversation.ended",
    asker: asked.sender.identity,
    question,
    failures,
  }),
});

/** Agent that answers each question in a conversation of its own. */
export const agent = setup({
  types: {
    input: {} as AgentInput,
    context: {} as AgentInput,
    events: {} as TextReceivedEvent | DoneActorEvent<ConversationEnded>,
    emitted: {} as ConversationEnded,
  },
  actors: { conversation, streamListener },
  actions: {
    converse: spawnChild("conversation", {
      id: () => crypto.randomUUID(), // the agent stops conversations by their ids
      input: ({ context, event }) => {
        assertEvent(event, "stream.received");
        return { ...context, asked: event };
      },
    }),
    report: emit(({ event }) => {
      assertEvent(event, "xstate.done.actor.*");
      return event.output;
    }),
    forget: stopChild(({ event }) => {
      assertEvent(event, "xstate.done.actor.*");
      return event.actorId;
    }),
  },
}).createMachine({
  id: "agent",
  context: ({ input }) => input,
  invoke: { src: "streamListener", input: ({ context: { runtime } }) => ({ runtime, topic: "questions", kind: "text" }) },
  on: {
    "stream.received": { actions: "converse" },
    "xstate.done.actor.*": { actions: ["report", "forget"] },
  },
});
