import { StreamError, type StreamErrorCode } from "../../errors.ts";
import type { IncomingStream } from "../incoming/stream.ts";
import type { HandleStream, StreamSender } from "../readers/handlers.ts";
import { TextReader } from "../readers/text_reader.ts";
import { Reply } from "./reply.ts";
import { CANCELLED, refuse, replyToOf, REQUEST_STATE, type RequestHandler, type StreamCalls } from "./request.ts";

/** Codes of a request's text that its sender has ended. Others come of its reader here. */
const SENDER_ENDED: ReadonlySet<StreamErrorCode> = new Set(["aborted", "disconnected", "timeout", "incomplete"]);

/** Requests of other participants that have no whole reply yet. */
export class RequestServer {
  readonly #calls: StreamCalls;
  /** Replies by sender, then by the request's id. */
  readonly #open = new Map<string, Map<string, Reply>>();

  constructor(calls: StreamCalls) {
    this.#calls = calls;
  }

  /** The call that gives a request to a user's handler. */
  handlerFor(handler: RequestHandler): HandleStream {
    return (stream, sender) => this.#serve(handler, stream, sender);
  }

  /** Finds the call that takes a stream as the cancellation of a request; undefined if the stream is none. */
  handlerOf(stream: IncomingStream): HandleStream | undefined {
    const { info } = stream.description;
    if (info.attributes[REQUEST_STATE] !== CANCELLED || !stream.isMillrace || stream.description.kind !== "text") {
      return undefined;
    }
    return async () => {
      const id = replyToOf(info) ?? "";
      const code = await new TextReader(stream).readAll();
      const isLate = code === "timeout";
      const why = isLate ? "its time is over" : "it was cancelled";
      this.#find(stream.from, id)?.cancel(ended(isLate ? "timeout" : "cancelled", why, stream.from, id));
    };
  }

  /** Cancels the requests of a participant that has left. */
  left(identity: string): void {
    for (const [id, reply] of this.#open.get(identity) ?? []) {
      reply.cancel(ended("disconnected", `"${identity}" left`, identity, id));
    }
  }

  /** Cancels all requests. */
  close(error: () => StreamError): void {
    for (const replies of [...this.#open.values()]) for (const reply of [...replies.values()]) reply.cancel(error());
  }

  #find(identity: string, id: string): Reply | undefined {
    return this.#open.get(identity)?.get(id);
  }

  async #serve(handler: RequestHandler, stream: IncomingStream, sender: StreamSender): Promise<void> {
    const { streamId, from, topic } = stream;
    // Two handlers of requests would else answer each other's replies for ever.
    if (replyToOf(stream.description.info) !== undefined) throw refuse(stream, "it replies to no open request");
    if (this.#find(from, streamId) !== undefined) throw refuse(stream, "its id is that of an open request");
    const reader = new TextReader(stream);
    const reply = new Reply(
      this.#calls,
      { streamId, from, topic, isMillrace: stream.isMillrace },
      () => this.#forget(from, streamId, reply),
    );
    this.#remember(from, streamId, reply);
    stream.closed.catch((error: StreamError) => {
      if (SENDER_ENDED.has(error.code)) reply.cancel(error);
    });
    try {
      await handler({ reader, sender, signal: reply.signal }, reply);
      await reply.handled(reader);
    } catch (error) {
      await reply.fail();
      if (!reply.isOwn(error)) throw error;
      await reader.cancel();
    }
  }

  #remember(identity: string, id: string, reply: Reply): void {
    const replies = this.#open.get(identity) ?? new Map<string, Reply>();
    this.#open.set(identity, replies.set(id, reply));
  }

  #forget(identity: string, id: string, reply: Reply): void {
    const replies = this.#open.get(identity);
    if (replies?.get(id) !== reply) return;
    replies.delete(id);
    if (replies.size === 0) this.#open.delete(identity);
  }
}

function ended(code: StreamErrorCode, why: string, identity: string, streamId: string): StreamError {
  const message = `Cannot go on with the request as ${why}: sender is "${identity}", stream id is "${streamId}"`;
  return new StreamError(code, message, { streamId, identity });
}
