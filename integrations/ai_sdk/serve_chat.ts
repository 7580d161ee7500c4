import { StreamError } from "../../errors.ts";
import { BoundedMap } from "../../common/bounded_map.ts";
import { show } from "../../protocol/options.ts";
import type { IncomingRequest, RequestReply } from "../../actors/requests/request.ts";
import type { Runtime } from "../../actors/runtime/runtime.ts";
import { assertRuntime } from "../assert_runtime.ts";
import { Answer, type AnswerLimits, type ChatChunks } from "./answer.ts";
import { ANSWER, CHAT_TOPIC, type ChatTrigger, CHUNK_FORMAT, parseChatMessage, type SubmitMessage } from "./messages.ts";
import { assertServerOptions, CHAT_CALLS } from "./options.ts";

/** Most answers of one participant at a time: a further message is refused. */
const MOST_ANSWERS = 16;

/** Number of stopped answers whose messages have not come yet: a short abort may overtake a long message. */
const STOPPED_EARLY = 1_024;

/** Bytes of an answer that are kept for a participant that comes back. */
const KEPT_BYTES = 1_048_576;

/** Time for a participant to come back, in ms. */
const READER_MS = 60_000;

/** Text of an error, for the other end. */
const FAILED = "The answer failed.";

/** A message of a chat, and what came with it. All of it is the other end's word, but `identity`. */
// deno-lint-ignore no-explicit-any -- the SDK's messages have a type of the user's, which a check such as `validateUIMessages` gives
export interface ChatRequest<Message = any> {
  /** Verified identity of the participant. */
  readonly identity: string;
  readonly chatId: string;
  readonly trigger: ChatTrigger;
  /** Message to answer anew, or that was edited. */
  readonly messageId: string | undefined;
  /** Messages of the chat. Check them by the SDK's `validateUIMessages`. */
  readonly messages: Message[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  readonly metadata: unknown;
  /** Aborts when the answer is not wanted any more: stopped, superseded, or unread for too long. Give it to the model. */
  readonly signal: AbortSignal;
}

/** Gives the answer to a message: what `toUIMessageStream()` of the AI SDK gives. */
// deno-lint-ignore no-explicit-any -- as above
export type ChatHandler<Message = any> = (request: ChatRequest<Message>) => ChatChunks | PromiseLike<ChatChunks>;

/** Options of {@linkcode serveChat}. */
export interface ChatServerOptions {
  /** Topic of the chats. Default "ai-sdk.chat". */
  topic?: string;
  /** Most bytes of an answer that are kept for a participant that comes back. Default 1 MiB; a longer one cannot be resumed. */
  keptBytes?: number;
  /** Time in which a participant must come back, in ms; then its answer is stopped. Default 60,000. */
  readerMs?: number;
  /** Text that the other end gets for an error of the handler or its stream. Default "The answer failed.", which tells nothing. */
  onError?: (error: unknown) => string;
}

/** Chats that are served. */
export interface ChatServer extends AsyncDisposable {
  /** Number of answers that run, or wait for their reader. */
  readonly answers: number;
  /** Serves no further messages, and stops the running answers. Idempotent. */
  close(): Promise<void>;
}

/**
 * Answers the chats of other participants. Each has chats of its own: nobody reads or stops those of another.
 *
 * An answer is stopped by the abort of its client, by the chat's next message, and when nobody has read it for `readerMs`. A lost connection
 * does not stop it: its chunks are kept for the participant that comes back, as far as `keptBytes` go, and the model waits then. If the
 * handler or its stream fails, the other end gets a chunk "error", and the runtime's `onError` the error.
 *
 * Throws "invalid-argument", and "handler-exists" if the topic has a handler.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 * import { chatTransport, serveChat } from "millrace/ai-sdk";
 *
 * const hub = createHub();
 * const agent = await createRuntime({ transport: hub.join("agent") });
 * const alice = await createRuntime({ transport: hub.join("alice") });
 * await using _server = serveChat(agent, async function* ({ messages }) { // or what toUIMessageStream() gives
 *   yield { type: "text-start", id: "1" };
 *   yield { type: "text-delta", id: "1", delta: `You have sent ${messages.length}.` };
 *   yield { type: "text-end", id: "1" };
 * });
 * const chat = chatTransport(alice, { identity: "agent" });
 * const chunks = await chat.sendMessages({ chatId: "c", trigger: "submit-message", messageId: undefined, messages: [{}], abortSignal: undefined });
 * let text = "";
 * for await (const chunk of chunks) text += chunk.delta ?? "";
 * if (text !== "You have sent 1.") throw new Error("An answer was expected");
 * await alice.close();
 * await agent.close();
 * ```
 */
// deno-lint-ignore no-explicit-any -- as above
export function serveChat<Message = any>(
  runtime: Runtime,
  handler: ChatHandler<Message>,
  options: ChatServerOptions = {},
): ChatServer {
  assertRuntime(runtime, CHAT_CALLS, "serve chats", "createRuntime");
  if (typeof handler !== "function") {
    throw new StreamError("invalid-argument", `Cannot serve chats as the handler must be a function: got ${show(handler)}`);
  }
  assertServerOptions(options);
  return new Chats(runtime, handler, options);
}

class Chats implements ChatServer {
  readonly #runtime: Runtime;
  readonly #topic: string;
  readonly #handler: ChatHandler;
  readonly #limits: AnswerLimits;
  readonly #onError: ((error: unknown) => string) | undefined;
  /** Answers by participant, then by chat. */
  readonly #answers = new Map<string, Map<string, Answer>>();
  readonly #stoppedEarly = new BoundedMap<string, true>(STOPPED_EARLY);
  #isClosed = false;

  constructor(runtime: Runtime, handler: ChatHandler, { topic, keptBytes, readerMs, onError }: ChatServerOptions) {
    this.#runtime = runtime;
    this.#topic = topic ?? CHAT_TOPIC;
    this.#handler = handler;
    this.#limits = { keptBytes: keptBytes ?? KEPT_BYTES, readerMs: readerMs ?? READER_MS };
    this.#onError = onError;
    runtime.registerRequestHandler(this.#topic, (request, reply) => this.#serve(request, reply));
  }

  get answers(): number {
    return [...this.#answers.values()].reduce((sum, chats) => sum + chats.size, 0);
  }

  close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#runtime.unregisterRequestHandler(this.#topic);
      this.#stopAll(new StreamError("closed", "Cannot go on with the answer as the chats are served no more"));
    }
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #serve({ reader, sender, signal }: IncomingRequest, reply: RequestReply): Promise<void> {
    const identity = sender.transportIdentity ?? sender.identity;
    const message = parseChatMessage(await reader.readAll());
    const { chatId } = message;
    if (message.type === "submit") return await this.#submit(identity, reader.info.streamId, message, signal, reply);
    const running = this.#answers.get(identity)?.get(chatId);
    if (message.type === "resume") return await this.#deliver(running?.isComplete ? running : undefined, signal, reply);
    if (running?.id === message.answer) running.stop(stopped("it was stopped", chatId));
    else this.#stoppedEarly.set(keyOf(identity, message.answer), true);
    await reply.sendText("");
  }

  async #submit(
    identity: string,
    id: string,
    message: SubmitMessage,
    requestSignal: AbortSignal,
    reply: RequestReply,
  ): Promise<void> {
    const { chatId } = message;
    const chats = this.#answers.get(identity) ?? new Map<string, Answer>();
    chats.get(chatId)?.stop(stopped("the chat goes on with another message", chatId));
    if (chats.size >= MOST_ANSWERS && !chats.has(chatId)) {
      throw new StreamError(
        "refused",
        `Cannot answer as a participant may have ${MOST_ANSWERS} answers: identity is "${identity}"`,
      );
    }
    const answer = new Answer(id, this.#limits, () => {
      if (chats.get(chatId) === answer) chats.delete(chatId);
      if (chats.size === 0 && this.#answers.get(identity) === chats) this.#answers.delete(identity);
    });
    this.#answers.set(identity, chats.set(chatId, answer));
    if (this.#isClosed || this.#stoppedEarly.get(keyOf(identity, id)) !== undefined) {
      answer.stop(stopped("it was stopped", chatId));
    }
    const { trigger, messageId, messages, headers = {}, body = {}, metadata } = message;
    const request: ChatRequest = {
      ...{ identity, chatId, trigger, messageId, messages: [...messages], headers, body, metadata },
      signal: answer.signal,
    };
    const filled = answer.fill(() => this.#handler(request), (error) => ({ type: "error", errorText: this.#textOf(error) }));
    const delivered = this.#deliver(answer, requestSignal, reply);
    // The model goes on after a lost connection: its failure is reported then too.
    const outcomes = await Promise.allSettled([filled, delivered]);
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  /** Replies with an answer, from its beginning; with none, if there is none. */
  async #deliver(answer: Answer | undefined, signal: AbortSignal, reply: RequestReply): Promise<void> {
    const attributes = answer === undefined ? {} : { [ANSWER]: answer.id };
    const chunks = answer?.read(signal);
    try {
      const writer = await reply.streamRecords({ format: CHUNK_FORMAT, attributes });
      for await (const chunk of chunks ?? []) await writer.write(chunk);
      if (signal.aborted) return; // its receiver has left, or the runtime is closed
      await writer.close();
      answer?.end();
    } finally {
      await chunks?.return(undefined);
      const reason: unknown = signal.aborted ? signal.reason : undefined;
      if (reason instanceof StreamError && reason.code === "closed") this.#stopAll(reason);
    }
  }

  #stopAll(reason: StreamError): void {
    for (const chats of [...this.#answers.values()]) for (const answer of [...chats.values()]) answer.stop(reason);
  }

  #textOf(error: unknown): string {
    try {
      return String(this.#onError?.(error) ?? FAILED);
    } catch {
      return FAILED; // the error itself goes to the runtime's onError
    }
  }
}

function keyOf(identity: string, id: string): string {
  return JSON.stringify([identity, id]);
}

function stopped(why: string, chatId: string): StreamError {
  return new StreamError("aborted", `Cannot go on with the answer as ${why}: chat is "${chatId}"`);
}
