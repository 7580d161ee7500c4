import {
  assign,
  enqueueActions,
  type EventObject,
  fromPromise,
  type MetaObject,
  type ParameterizedObject,
  setup,
  type StateMachine,
  type StateSchema,
} from "xstate";
import { StreamError } from "../../errors.ts";
import type { FileToSend } from "../../protocol/files.ts";
import type { ByteStreamInfo, TextStreamInfo } from "../../protocol/info.ts";
import { assertKnownNames } from "../../protocol/option_names.ts";
import {
  type SendBytesOptions,
  type SendFileOptions,
  type SendTextOptions,
  show,
  type StreamOptions,
} from "../../protocol/options.ts";
import type { Progress } from "../../protocol/progress.ts";
import { isAbortSignal } from "../../common/realms.ts";
import { followSignal } from "../common/follow_signal.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { ByteSource, TextSource } from "../writers/sources.ts";

/** Input of {@linkcode sendTextActor}. */
export interface SendTextInput {
  /** Runtime that sends the text. */
  readonly runtime: Runtime;
  /** Text of the stream. */
  readonly text: TextSource;
  /** As for `runtime.sendText`. */
  readonly options?: SendTextOptions;
}

/** Input of {@linkcode sendBytesActor}. */
export interface SendBytesInput {
  /** Runtime that sends the bytes. */
  readonly runtime: Runtime;
  /** Bytes, or a source of bytes. */
  readonly data: ByteSource;
  /** As for `runtime.sendBytes`. */
  readonly options?: SendBytesOptions;
}

/** Input of {@linkcode sendFileActor}. */
export interface SendFileInput {
  /** Runtime that sends the file. */
  readonly runtime: Runtime;
  /** Path of the file; in a page the file. */
  readonly path: FileToSend;
  /** As for `runtime.sendFile`. */
  readonly options?: SendFileOptions;
}

/** Event to the parent of a sending actor, at most once per 50 ms, and at the end. */
export interface StreamProgressEvent {
  /** Type of the event. */
  readonly type: "stream.progress";
  /** Id of the sending actor. */
  readonly id: string;
  /** Progress of the stream. */
  readonly progress: Progress;
}

/** Events of a sending actor. */
export interface SendActorEvent {
  /** Type of the event. */
  readonly type: "progress.made";
  /** Progress of the stream. */
  readonly progress: Progress;
}

/** Context of a sending actor, as an inspector sees it. */
export interface SendActorContext<TInput, TInfo> {
  /** Input of the actor. */
  readonly input: TInput;
  /** Info of the stream, once the stream was sent. */
  readonly info: TInfo | undefined;
}

/** Machine that sends one stream: `sending → sent`. The output is the stream's info; the error is a StreamError. */
export type SendActorLogic<TInput, TInfo> = StateMachine<
  SendActorContext<TInput, TInfo>,
  SendActorEvent,
  Record<never, never>,
  never,
  ParameterizedObject,
  ParameterizedObject,
  string,
  "sending" | "sent",
  string,
  TInput,
  TInfo,
  EventObject,
  MetaObject,
  StateSchema
>;

/**
 * Actor logic that sends a text by `runtime.sendText`, for your own machine to invoke or spawn.
 *
 * The actor reports progress to its parent by {@linkcode StreamProgressEvent}. The output is the stream's info. The error, `event.error` in
 * the parent's `onError`, is a StreamError. Stopping the actor, as leaving its invoking state does, aborts the stream.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 * import { sendTextActor } from "millrace/actors";
 * import { createActor, toPromise } from "xstate";
 *
 * const alice = await createRuntime({ transport: createHub().join("alice") });
 * const sending = createActor(sendTextActor, { input: { runtime: alice, text: "Hello", options: { topic: "chat" } } }).start();
 * const info = await toPromise(sending);
 * if (info.size !== 5) throw new Error("Five bytes were expected");
 * await alice.close();
 * ```
 */
export const sendTextActor: SendActorLogic<SendTextInput, TextStreamInfo> = sendMachine(
  "sendText",
  "text",
  ({ runtime, text }: SendTextInput, options) => runtime.sendText(text, options),
);

/**
 * Actor logic that sends bytes by `runtime.sendBytes`, for your own machine to invoke or spawn. Progress, output, error and stopping are as
 * for {@linkcode sendTextActor}.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 * import { sendBytesActor } from "millrace/actors";
 * import { createActor, toPromise } from "xstate";
 *
 * const alice = await createRuntime({ transport: createHub().join("alice") });
 * const input = { runtime: alice, data: new Uint8Array([1, 2, 3]), options: { topic: "samples" } };
 * const info = await toPromise(createActor(sendBytesActor, { input }).start());
 * if (info.size !== 3) throw new Error("Three bytes were expected");
 * await alice.close();
 * ```
 */
export const sendBytesActor: SendActorLogic<SendBytesInput, ByteStreamInfo> = sendMachine(
  "sendBytes",
  "data",
  ({ runtime, data }: SendBytesInput, options) => runtime.sendBytes(data, options),
);

/**
 * Actor logic that sends a file by `runtime.sendFile`, for your own machine to invoke or spawn. Progress, output, error and stopping are as
 * for {@linkcode sendTextActor}.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 * import { sendFileActor, type StreamProgressEvent } from "millrace/actors";
 * import { assign, createActor, setup, waitFor } from "xstate";
 *
 * const hub = createHub();
 * const alice = await createRuntime({ transport: hub.join("alice") });
 * const bob = await createRuntime({ transport: hub.join("bob") });
 * bob.registerByteStreamHandler("reports", async (reader) => void await reader.saveTo("received/"));
 *
 * const machine = setup({
 *   types: { context: {} as { percent: number }, events: {} as StreamProgressEvent },
 *   actors: { sendFileActor },
 * }).createMachine({
 *   context: { percent: 0 },
 *   initial: "sending",
 *   states: {
 *     sending: {
 *       invoke: {
 *         src: "sendFileActor",
 *         input: { runtime: alice, path: "report.pdf", options: { topic: "reports", destinationIdentities: ["bob"] } },
 *         onDone: "sent",
 *         onError: "failed",
 *       },
 *       on: { "stream.progress": { actions: assign({ percent: ({ event }) => event.progress.percent ?? 0 }) } },
 *     },
 *     sent: { type: "final" },
 *     failed: { type: "final" },
 *   },
 * });
 *
 * const { value, context } = await waitFor(createActor(machine).start(), ({ status }) => status === "done");
 * if (value !== "sent" || context.percent !== 100) throw new Error("The report was not sent");
 * await alice.close();
 * await bob.close();
 * ```
 */
export const sendFileActor: SendActorLogic<SendFileInput, ByteStreamInfo> = sendMachine(
  "sendFile",
  "path",
  ({ runtime, path }: SendFileInput, options) => runtime.sendFile(path, options),
);

/** Input of a call. */
interface Call<TInput> {
  readonly input: TInput;
  readonly report: (progress: Progress) => void;
}

/** Creates the logic of a sending actor: an abortable call that reports its progress. */
function sendMachine<TInput extends { readonly options?: StreamOptions }, TInfo>(
  id: string,
  content: string,
  send: (input: TInput, options: StreamOptions) => Promise<TInfo>,
): SendActorLogic<TInput, TInfo> {
  return setup({
    types: {
      context: {} as SendActorContext<TInput, TInfo>,
      events: {} as SendActorEvent,
      input: {} as TInput,
      output: {} as TInfo,
    },
    actors: {
      call: fromPromise<TInfo, Call<TInput>>(async ({ input: { input, report }, signal }) => {
        assertInput(input, { runtime: true, [content]: true, options: true });
        const onProgress = (progress: Progress): void => {
          if (!signal.aborted) report(progress); // a stopped actor accepts no events
          input.options?.onProgress?.(progress);
        };
        return await untilEither(
          signal,
          input.options?.signal,
          (either) => send(input, { ...input.options, signal: either, onProgress }),
        );
      }),
    },
    actions: {
      tellParent: enqueueActions(({ enqueue, self, event }) => {
        if (self._parent === undefined) return; // a root actor
        const told: StreamProgressEvent = { type: "stream.progress", id: self.id, progress: event.progress };
        enqueue.sendTo(self._parent, told);
      }),
    },
  }).createMachine({
    id,
    context: ({ input }) => ({ input, info: undefined }),
    initial: "sending",
    states: {
      sending: {
        invoke: { // without `onError`, so that the call's error becomes the actor's
          src: "call",
          input: ({ context: { input }, self }) => ({
            input,
            report: (progress) => self.send({ type: "progress.made", progress }),
          }),
          onDone: { target: "sent", actions: assign({ info: ({ event }) => event.output }) },
        },
        on: { "progress.made": { actions: "tellParent" } },
      },
      sent: { type: "final" },
    },
    output: ({ context }) => context.info as TInfo,
  });
}

/** Throws "invalid-argument" unless the input is an object with these names only. */
function assertInput(input: unknown, names: Readonly<Record<string, true>>): void {
  if (typeof input !== "object" || input === null) {
    throw new StreamError("invalid-argument", `Cannot send as the actor's input is no object: ${show(input)}`);
  }
  assertKnownNames(input, names, "Cannot send", "input");
}

/** Runs with a signal that follows either of two signals, as `AbortSignal.any` of Node 20.3. */
async function untilEither<T>(
  own: AbortSignal,
  given: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (!isAbortSignal(given)) return await run(given ?? own); // `run` rejects an invalid signal
  const controller = new AbortController();
  const leave = [own, given].map((signal) => followSignal(controller, signal));
  try {
    return await run(controller.signal);
  } finally {
    for (const end of leave) end();
  }
}
