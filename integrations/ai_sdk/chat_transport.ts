import { StreamError } from "../../errors.ts";
import { onAbort } from "../../common/abort.ts";
import { randomId } from "../../common/platform.ts";
import { isAbortSignal } from "../../common/realms.ts";
import { isRecord } from "../../common/shapes.ts";
import { show } from "../../protocol/options.ts";
import type { RecordStreamReader } from "../../actors/records/reader.ts";
import type { Runtime } from "../../actors/runtime/runtime.ts";
import { assertRuntime } from "../assert_runtime.ts";
import { ANSWER, CHAT_TOPIC, type ChatMessage, type ChatTrigger, type SubmitMessage } from "./messages.ts";
import { assertClientOptions, CHAT_CALLS } from "./options.ts";

/** Options of {@linkcode chatTransport}. */
export interface ChatClientOptions {
  /** Identity of the participant that serves the chats. */
  identity: string;
  /** Topic of the chats. Default "ai-sdk.chat". */
  topic?: string;
  /** Time for an answer to begin, in ms; then "timeout". Default 30,000. The server's first word counts, not the model's. */
  timeout?: number;
}

/** Values of the SDK's `ChatRequestOptions`: they go to the handler. */
interface RequestValues {
  headers?: Record<string, string> | Headers;
  body?: object;
  metadata?: unknown;
}

/** Argument of `sendMessages`. */
export interface SendMessages extends RequestValues {
  trigger: ChatTrigger;
  chatId: string;
  messageId: string | undefined;
  messages: readonly unknown[];
  abortSignal: AbortSignal | undefined;
}

/** Argument of `reconnectToStream`. */
export interface ToChat extends RequestValues {
  chatId: string;
  abortSignal?: AbortSignal;
}

/** `ChatTransport` of the AI SDK. */
// deno-lint-ignore no-explicit-any -- chunks have a type of the SDK's
export interface ChatClient<Chunk = any> {
  /** True, as an answer that is resumed comes from its beginning. */
  readonly resumeStreamIsReplay: true;
  /** Sends a chat's messages, and resolves with the chunks of the answer when it begins. */
  sendMessages(message: SendMessages): Promise<ReadableStream<Chunk>>;
  /** Resolves with the chunks of the chat's running answer, from its beginning; with null if there is none. */
  reconnectToStream(chat: ToChat): Promise<ReadableStream<Chunk> | null>;
}

/**
 * Makes a `ChatTransport` for `useChat` and `Chat` of the AI SDK, in a page or elsewhere. A participant with {@linkcode serveChat} answers.
 *
 * The abort of a chat (`stop()`) stops the model, by a message of its own. A lost connection, and a stream that is only cancelled, do not:
 * `reconnectToStream` (`resumeStream()`) gives the answer from its beginning.
 *
 * Throws "invalid-argument". Its calls reject with a StreamError: "disconnected" if the participant is not there or leaves, "refused" if it
 * serves no chats, "timeout"; after an abort with an `AbortError`. The stream of chunks fails likewise.
 *
 * @example
 * ```ts no-run
 * import { useChat } from "@ai-sdk/react";
 * import { chatTransport } from "millrace/ai-sdk";
 *
 * const { messages, sendMessage, stop } = useChat({ transport: chatTransport(runtime, { identity: "agent" }) });
 * ```
 */
// deno-lint-ignore no-explicit-any -- as above
export function chatTransport<Chunk = any>(runtime: Runtime, options: ChatClientOptions): ChatClient<Chunk> {
  assertRuntime(runtime, CHAT_CALLS, "make the chat's transport", "createRuntime");
  assertClientOptions(options);
  const client = new Client<Chunk>(runtime, options);
  return {
    resumeStreamIsReplay: true,
    sendMessages: (message) => client.send(message),
    reconnectToStream: (chat) => client.resume(chat),
  };
}

class Client<Chunk> {
  readonly #runtime: Runtime;
  readonly #identity: string;
  readonly #topic: string;
  readonly #timeout: { timeout?: number };

  constructor(runtime: Runtime, { identity, topic = CHAT_TOPIC, timeout }: ChatClientOptions) {
    this.#runtime = runtime;
    this.#identity = identity;
    this.#topic = topic;
    this.#timeout = timeout === undefined ? {} : { timeout };
  }

  async send(given: SendMessages): Promise<ReadableStream<Chunk>> {
    assertCall(given, "send the messages");
    const { chatId, trigger, messageId, messages, abortSignal } = given;
    if (!Array.isArray(messages)) {
      throw new StreamError("invalid-argument", `Cannot send the messages as they must be an array: got ${show(messages)}`);
    }
    const message: SubmitMessage = {
      ...{ type: "submit", chatId, trigger, messages, metadata: given.metadata },
      ...(messageId === undefined ? {} : { messageId }),
      ...valuesOf(given),
    };
    const answer = randomId();
    const reader = await this.#ask(message, answer, abortSignal);
    return this.#chunksOf(reader, { chatId, answer }, abortSignal);
  }

  async resume(given: ToChat): Promise<ReadableStream<Chunk> | null> {
    assertCall(given, "resume the chat");
    const { chatId, abortSignal } = given;
    const reader = await this.#ask({ type: "resume", chatId }, randomId(), abortSignal);
    const answer = reader.info.attributes[ANSWER];
    if (answer !== undefined) return this.#chunksOf(reader, { chatId, answer }, abortSignal);
    await reader.readAll();
    return null;
  }

  /** Sends a message, whose reply are records. Tells the server if the answer is aborted before it has begun. */
  async #ask(message: ChatMessage, id: string, signal: AbortSignal | undefined): Promise<RecordStreamReader> {
    if (signal?.aborted) throw aborted();
    const text = textOf(message);
    try {
      return await this.#runtime.request(this.#identity, this.#topic, text, {
        ...{ reply: "records", streamId: id, ...this.#timeout },
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (!signal?.aborted) throw error;
      if (message.type === "submit") this.#abort({ chatId: message.chatId, answer: id });
      throw aborted();
    }
  }

  /** Stops an answer. A server that has left has stopped it, or will. */
  #abort(answer: { chatId: string; answer: string }): void {
    const text = JSON.stringify({ type: "abort", ...answer });
    this.#runtime.request(this.#identity, this.#topic, text, { reply: "text", ...this.#timeout })
      .then((reader) => reader.readAll())
      .catch(() => {});
  }

  #chunksOf(
    reader: RecordStreamReader,
    answer: { chatId: string; answer: string },
    signal: AbortSignal | undefined,
  ): ReadableStream<Chunk> {
    const records = reader[Symbol.asyncIterator]();
    const leave = signal === undefined ? () => {} : onAbort(signal, () => this.#abort(answer));
    return new ReadableStream<Chunk>({
      async pull(controller) {
        try {
          const { done, value } = await records.next();
          if (done !== true) return controller.enqueue(value as Chunk);
          leave();
          controller.close();
        } catch (error) {
          leave();
          controller.error(signal?.aborted === true ? aborted() : error);
        }
      },
      async cancel() {
        leave();
        await reader.cancel();
      },
    }, { highWaterMark: 0 });
  }
}

/** Values of a call that go to the handler. */
function valuesOf({ headers, body }: RequestValues): Pick<SubmitMessage, "headers" | "body"> {
  return {
    ...(headers === undefined ? {} : { headers: isHeaders(headers) ? Object.fromEntries(headers.entries()) : headers }),
    ...(body === undefined ? {} : { body: body as Record<string, unknown> }),
  };
}

function isHeaders(headers: Record<string, string> | Headers): headers is Headers {
  return typeof headers["entries"] === "function"; // of any realm
}

function textOf(message: ChatMessage): string {
  try {
    return JSON.stringify(message);
  } catch (cause) {
    throw new StreamError("invalid-argument", "Cannot send the messages as they must be values of JSON", { cause });
  }
}

function assertCall(given: unknown, action: string): void {
  const { chatId, abortSignal } = isRecord(given) ? given : {};
  if (typeof chatId !== "string") {
    throw new StreamError("invalid-argument", `Cannot ${action} as "chatId" must be a string: got ${show(chatId)}`);
  }
  if (abortSignal !== undefined && !isAbortSignal(abortSignal)) {
    throw new StreamError(
      "invalid-argument",
      `Cannot ${action} as "abortSignal" must be an AbortSignal: got ${show(abortSignal)}`,
    );
  }
}

/** Error that the SDK knows as the user's own doing. */
function aborted(): Error {
  return new DOMException("The answer was aborted", "AbortError");
}
