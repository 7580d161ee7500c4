import { type CallbackActorLogic, type EventObject, fromCallback } from "xstate";
import { StreamError } from "../../errors.ts";
import { assertKnownNames, type OptionNames } from "../../protocol/option_names.ts";
import { show } from "../../protocol/options.ts";
import type { ByteStreamReader, TextStreamReader } from "../readers/reader.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { HandlerOptions, StreamSender } from "../readers/handlers.ts";

/** Input of {@linkcode streamListener}. */
export interface StreamListenerInput {
  /** Runtime that receives the streams. */
  readonly runtime: Runtime;
  /** Topic, without another handler of the same kind. */
  readonly topic: string;
  /** Kind of the streams. */
  readonly kind: "text" | "bytes";
  /** As for `registerTextStreamHandler` and `registerByteStreamHandler`. */
  readonly options?: HandlerOptions;
}

const INPUT_NAMES: OptionNames<StreamListenerInput> = { runtime: true, topic: true, kind: true, options: true };

/** Event to the parent of a listener for text. */
export interface TextReceivedEvent {
  /** Type of the event. */
  readonly type: "stream.received";
  /** Kind of the stream. */
  readonly kind: "text";
  /** Reader of the stream, which the parent must read or cancel. */
  readonly reader: TextStreamReader;
  /** Sender of the stream. */
  readonly sender: StreamSender;
}

/** Event to the parent of a listener for bytes. */
export interface BytesReceivedEvent {
  /** Type of the event. */
  readonly type: "stream.received";
  /** Kind of the stream. */
  readonly kind: "bytes";
  /** Reader of the stream, which the parent must read or cancel. */
  readonly reader: ByteStreamReader;
  /** Sender of the stream. */
  readonly sender: StreamSender;
}

/** Event to the parent of a listener: a received stream. */
export type StreamReceivedEvent = TextReceivedEvent | BytesReceivedEvent;

/**
 * Actor logic that listens to a topic. The actor registers a handler, sends its parent a {@linkcode StreamReceivedEvent} for each stream,
 * and unregisters the handler when stopped. Readers in events belong to the parent, even after that.
 *
 * Fails (`event.error` in the parent's `onError`) with a StreamError: "handler-exists", "invalid-argument", or "closed" after the runtime's
 * end.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 * import { streamListener, type TextReceivedEvent } from "millrace/actors";
 * import { createActor, fromPromise, setup, toPromise } from "xstate";
 *
 * const hub = createHub();
 * const alice = await createRuntime({ transport: hub.join("alice") });
 * const bob = await createRuntime({ transport: hub.join("bob") });
 *
 * const machine = setup({
 *   types: { events: {} as TextReceivedEvent },
 *   actors: {
 *     streamListener,
 *     read: fromPromise<string, TextReceivedEvent>(({ input }) => input.reader.readAll()),
 *   },
 * }).createMachine({
 *   invoke: { src: "streamListener", input: { runtime: bob, topic: "chat", kind: "text" } },
 *   initial: "listening",
 *   states: {
 *     listening: { on: { "stream.received": "reading" } },
 *     reading: { invoke: { src: "read", input: ({ event }) => event, onDone: "heard" } },
 *     heard: { type: "final" },
 *   },
 * });
 *
 * const heard = toPromise(createActor(machine).start());
 * await alice.sendText("Hello, Bob", { topic: "chat" });
 * await heard;
 * await alice.close();
 * await bob.close();
 * ```
 */
export const streamListener: CallbackActorLogic<EventObject, StreamListenerInput> = fromCallback<
  EventObject,
  StreamListenerInput
>(
  ({ input, self, sendBack }) => {
    const { runtime, topic, kind, options } = input;
    assertKnownNames(input, INPUT_NAMES, "Cannot listen", "input");
    if (kind !== "text" && kind !== "bytes") {
      throw new StreamError("invalid-argument", `Cannot listen as "kind" is neither "text" nor "bytes": ${show(kind)}`);
    }
    if (self._parent === undefined) {
      throw new StreamError("invalid-argument", `Cannot listen as the listener has no parent to tell: topic is "${topic}"`);
    }
    let stopped = false;
    const hand = async (event: StreamReceivedEvent): Promise<void> => {
      if (stopped) await event.reader.cancel("nobody listens any more"); // it was claimed just before
      else sendBack(event);
    };
    if (kind === "text") {
      runtime.registerTextStreamHandler(
        topic,
        (reader, sender) => hand({ type: "stream.received", kind, reader, sender }),
        options,
      );
    } else {
      runtime.registerByteStreamHandler(
        topic,
        (reader, sender) => hand({ type: "stream.received", kind, reader, sender }),
        options,
      );
    }
    return () => {
      stopped = true;
      if (kind === "text") runtime.unregisterTextStreamHandler(topic);
      else runtime.unregisterByteStreamHandler(topic);
    };
  },
);
