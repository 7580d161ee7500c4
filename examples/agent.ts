// An agent as a machine: it answers questions by streamed text, word by word, while it sends a report.
import { type AnyActorRef, assertEvent, assign, fromPromise, setup, spawnChild } from "xstate";
import type { Runtime } from "../mod.ts"; // in a program of yours: from "millrace"
import { sendFileActor, streamListener, type StreamProgressEvent, type TextReceivedEvent } from "../actors/mod.ts"; // "millrace/actors"

export interface AgentInput {
  readonly runtime: Runtime;
  /** The file to send. */
  readonly report: string;
  /** Who gets it. */
  readonly client: string;
  /** What thinks: yields an answer, piece by piece. */
  readonly think: (question: string) => AsyncIterable<string>;
}

interface AgentContext extends AgentInput {
  readonly percent: number;
  /** What could not be answered or sent, and why: StreamErrors, or what thinking failed with. */
  readonly failures: readonly unknown[];
}

type AgentEvent =
  | TextReceivedEvent
  | StreamProgressEvent
  | { type: "answer.failed"; error: unknown };

interface Question extends AgentInput {
  readonly asked: TextReceivedEvent;
  readonly agent: AnyActorRef;
}

/** Answers one question. When the agent is stopped, so is the answer, at both ends. */
const answer = fromPromise<void, Question>(async ({ input: { runtime, think, asked, agent }, signal }) => {
  const { reader, sender } = asked;
  try {
    const question = await reader.readAll({ signal });
    const replyToId = reader.info.streamId;
    await using writer = await runtime.streamText({
      topic: "answers",
      destinationIdentities: [sender.identity],
      replyToId,
      signal,
    });
    for await (const piece of think(question)) await writer.write(piece);
    await writer.close(); // left without, as by a thought that fails, the stream is aborted
  } catch (error) {
    if (!signal.aborted) agent.send({ type: "answer.failed", error }); // who asked may be gone: the others are still answered
  }
});

export const agent = setup({
  types: { input: {} as AgentInput, context: {} as AgentContext, events: {} as AgentEvent },
  actors: { answer, sendFileActor, streamListener },
  actions: {
    answer: spawnChild("answer", {
      input: ({ context, event, self }) => {
        assertEvent(event, "stream.received");
        return { ...context, asked: event, agent: self };
      },
    }),
    noteProgress: assign({
      percent: ({ context, event }) => event.type === "stream.progress" ? event.progress.percent ?? 0 : context.percent,
    }),
    noteFailure: assign({
      failures: ({ context, event }) => "error" in event ? [...context.failures, event.error] : context.failures,
    }),
  },
}).createMachine({
  id: "agent",
  context: ({ input }) => ({ ...input, percent: 0, failures: [] }),
  type: "parallel",
  states: {
    conversation: {
      invoke: { src: "streamListener", input: ({ context: { runtime } }) => ({ runtime, topic: "questions", kind: "text" }) },
      on: {
        "stream.received": { actions: "answer" },
        "answer.failed": { actions: "noteFailure" },
      },
    },
    report: {
      initial: "sending",
      states: {
        sending: {
          invoke: {
            src: "sendFileActor",
            input: ({ context: { runtime, report, client } }) => ({
              runtime,
              path: report,
              options: { topic: "reports", destinationIdentities: [client] },
            }),
            onDone: "sent",
            onError: { target: "failed", actions: "noteFailure" },
          },
          on: { "stream.progress": { actions: "noteProgress" } },
        },
        sent: {},
        failed: {},
      },
    },
  },
});
