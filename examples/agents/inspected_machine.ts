// xstate: a machine that answers, in the inspector of @statelyai/inspect, together with the runtime's streams.
import type { createWebSocketInspector } from "@statelyai/inspect";
import { createRuntime, type Runtime, type TextSource, type Transport } from "millrace";
import { sendTextActor, streamListener, type StreamProgressEvent, type TextReceivedEvent } from "millrace/actors";
import { assign, createActor, setup } from "xstate";

/** `inspector` is that of `createWebSocketInspector({ url })`, for the page or editor that shows it. */
export async function serveInspected(
  transport: Transport,
  think: () => TextSource,
  { inspect }: Pick<ReturnType<typeof createWebSocketInspector>, "inspect">,
): Promise<Runtime> {
  const runtime = await createRuntime({ transport, inspect }); // its streams are actors: the inspector shows each
  const machine = setup({
    types: { context: {} as { to: string[] }, events: {} as TextReceivedEvent | StreamProgressEvent },
    actors: { sendTextActor, streamListener },
  }).createMachine({
    id: "agent",
    context: { to: [] },
    invoke: { src: "streamListener", input: () => ({ runtime, topic: "questions", kind: "text" }) },
    initial: "listening",
    states: {
      listening: {
        on: { "stream.received": { target: "answering", actions: assign({ to: ({ event }) => [event.sender.identity] }) } },
      },
      answering: {
        invoke: {
          src: "sendTextActor",
          input: ({ context: { to } }) => ({ runtime, text: think(), options: { topic: "answers", destinationIdentities: to } }),
          onDone: "listening",
          onError: "listening", // the asker has left, or the model has failed
        },
      },
    },
  });
  createActor(machine, { inspect }).start();
  return runtime;
}
