// An agent as a machine. Whoever asks it something by a text on the topic "questions" gets the answer as a text on "answers", word by word
// as it comes to the agent's mind, and meanwhile a report as a file on "reports". It talks with any number of askers at once. It knows
// nothing of where they are: livekit_agent.ts puts it in a LiveKit room, a test on a hub.
import { assertEvent, assign, type DoneActorEvent, emit, fromPromise, setup, spawnChild, stopChild } from "xstate";
import type { Runtime } from "../mod.ts"; // in a program of yours: from "millrace"
import { sendFileActor, sendTextActor, streamListener, type StreamProgressEvent, type TextReceivedEvent } from "../actors/mod.ts"; // "millrace/actors"

export interface AgentInput {
  readonly runtime: Runtime;
  /** The file that goes with each answer. */
  readonly report: string;
  /** What thinks: yields an answer, piece by piece. Nobody wants to know any more once the signal is aborted. */
  readonly think: (question: string, signal: AbortSignal) => AsyncIterable<string>;
}

/** How a conversation went. The agent emits it: `actor.on("conversation.ended", …)`. */
export interface ConversationEnded {
  readonly type: "conversation.ended";
  readonly asker: string;
  readonly question: string;
  /** What could not be read, answered or sent: StreamErrors, or what thinking failed with. */
  readonly failures: readonly unknown[];
}

interface ConversationInput extends AgentInput {
  readonly asked: TextReceivedEvent;
}

interface ConversationContext extends ConversationInput {
  readonly question: string;
  readonly failures: readonly unknown[];
}

/** Streams the answer. When the state that invoked it is left, or the agent is stopped, the stream is aborted, at both ends. */
const answer = fromPromise<void, ConversationContext>(async ({ input, signal }) => {
  const { runtime, think, question } = input;
  await using writer = await runtime.streamText({ ...replyText(input), topic: "answers", signal });
  for await (const piece of think(question, signal)) await writer.write(piece); // each piece leaves at once
  await writer.close(); // a writer left without, as by a thought that fails, is aborted: half an answer never looks whole
});

/** For the asker alone; the attribute names the question to files too, and to SDKs that do not show `replyToId`. */
function reply({ asked }: ConversationInput): { destinationIdentities: string[]; attributes: { question: string } } {
  return { destinationIdentities: [asked.sender.identity], attributes: { question: asked.reader.info.streamId } };
}

/** The same for texts, which say what they reply to. */
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
      type: "parallel", // the answer does not wait for the file: its words go first, however large that is
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
                onError: { target: "done", actions: "noteFailure" }, // who asked is gone, perhaps
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
                onDone: "done", // the asker has it: its receipt has come
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
      id: () => crypto.randomUUID(), // by which the agent can stop each of them
      input: ({ context, event }) => {
        assertEvent(event, "stream.received");
        return { ...context, asked: event };
      },
    }),
    tell: emit(({ event }) => {
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
    "xstate.done.actor.*": { actions: ["tell", "forget"] },
  },
});
