// xstate: a machine that answers one question at a time, in the inspector of @statelyai/inspect, together with the runtime's streams.
import type { createWebSocketInspector } from "@statelyai/inspect";
import { createRuntime, type Runtime, type TextSource, type TextStreamReader, type Transport } from "millrace";
import { sendTextActor, streamListener, type StreamProgressEvent, type TextReceivedEvent } from "millrace/actors";
import { assertEvent, createActor, setup } from "xstate";

/** `inspector` is that of `createWebSocketInspector({ url })`, for the page or editor that shows it. */
export async function serveInspected(
  transport: Transport,
  think: (question: TextStreamReader) => TextSource,
  { inspect }: Pick<ReturnType<typeof createWebSocketInspector>, "inspect">,
): Promise<Runtime> {
  const runtime = await createRuntime({ transport, inspect }); // its streams are actors: the inspector shows each
  const machine = setup({
    types: { events: {} as TextReceivedEvent | StreamProgressEvent },
    actors: { sendTextActor, streamListener },
  }).createMachine({
    id: "agent",
    invoke: { src: "streamListener", input: () => ({ runtime, topic: "questions", kind: "text" }) },
    initial: "listening",
    states: {
      listening: { on: { "stream.received": "answering" } },
      answering: {
        invoke: {
          src: "sendTextActor",
          input: ({ event }) => {
            assertEvent(event, "stream.received");
            const options = { topic: "answers", destinationIdentities: [event.sender.identity] };
            return { runtime, text: think(event.reader), options };
          },
          onDone: "listening",
          onError: "listening", // the asker has left, or the model has failed
        },
        on: { "stream.received": { actions: ({ event }) => void event.reader.cancel("busy") } },
      },
    },
  });
  createActor(machine, { inspect }).start();
  return runtime;
}
