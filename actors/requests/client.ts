import { inBrackets, StreamError, type StreamErrorCode } from "../../errors.ts";
import { onAbort } from "../../common/abort.ts";
import { BoundedMap } from "../../common/bounded_map.ts";
import type { Clock } from "../../common/clock.ts";
import { randomId } from "../../common/platform.ts";
import { Deferred } from "../../common/promises.ts";
import type { IncomingStream } from "../incoming/stream.ts";
import { ByteReader } from "../readers/byte_reader.ts";
import type { HandleStream } from "../readers/handlers.ts";
import { TextReader } from "../readers/text_reader.ts";
import { RecordReader } from "../records/reader.ts";
import { dismissSource, isTextInParts, type TextSource } from "../writers/sources.ts";
import { assertRequest, DEFAULT_TIMEOUT_MS, type ReplyReader, type RequestOptions } from "./options.ts";
import { CANCELLED, FAILED, refuse, replyToOf, REQUEST_STATE, type StreamCalls } from "./request.ts";

/** Ended requests that are remembered, so that late replies to them reach no other handler. */
const REMEMBERED = 4_096;

/** Environment of the requests. */
export interface RequestContext {
  readonly calls: StreamCalls;
  readonly clock: Clock;
  /** Whether a participant is a Millrace runtime, which understands a cancelled request. */
  isMillrace(identity: string): boolean;
  report(error: unknown, about: { streamId?: string; topic?: string; identity?: string }): void;
}

/** Receiver and topic of a request. */
interface Target {
  readonly identity: string;
  readonly topic: string;
}

/** A request without a reply. */
interface Pending extends Target {
  readonly options: RequestOptions;
  readonly reply: Deferred<ReplyReader>;
  /** Ends the request's text. */
  readonly body: AbortController;
  /** Ends the waits for time and signal. */
  leave: () => void;
}

/** Requests of this runtime, and the replies that come. */
export class RequestClient {
  readonly #context: RequestContext;
  readonly #pending = new Map<string, Pending>();
  readonly #ended = new BoundedMap<string, Target>(REMEMBERED);

  constructor(context: RequestContext) {
    this.#context = context;
  }

  /** Sends a request. Resolves with the reply's reader when the reply begins. */
  async request(identity: string, topic: string, body: TextSource, options: RequestOptions): Promise<ReplyReader> {
    assertRequest(identity, topic, body, options);
    const { signal, attributes } = options;
    const id = options.streamId ?? randomId();
    if (signal?.aborted === true || this.#pending.has(id)) {
      if (isTextInParts(body)) dismissSource(body);
      throw signal?.aborted === true ? abortedBy(signal, id, identity) : new StreamError(
        "duplicate-stream",
        `Cannot send the request as its id is in use: stream id is "${id}"`,
        { streamId: id },
      );
    }
    const pending: Pending = {
      ...{ identity, topic, options },
      reply: new Deferred<ReplyReader>(),
      body: new AbortController(),
      leave: () => {},
    };
    this.#pending.set(id, pending);
    this.#watch(id, pending);
    this.#context.calls.sendText(body, {
      ...{ topic, streamId: id, confirm: true, signal: pending.body.signal, destinationIdentities: [identity] },
      ...(attributes === undefined ? {} : { attributes }),
    }).catch((error: unknown) => this.#unsent(id, pending, error));
    return await pending.reply.promise;
  }

  /** Finds the call that takes a stream as a reply; undefined if the stream is none. */
  handlerOf(stream: IncomingStream): HandleStream | undefined {
    const id = replyToOf(stream.description.info);
    const target = id === undefined ? undefined : this.#pending.get(id) ?? this.#ended.get(id);
    if (id === undefined || target?.identity !== stream.from || target.topic !== stream.topic) return undefined;
    return (reply) => this.#take(id, reply);
  }

  /** Fails the requests to a participant that has left. */
  left(identity: string): void {
    for (const [id, pending] of this.#pending) {
      if (pending.identity === identity) this.#fail(id, failure("disconnected", `"${identity}" left`, id, identity));
    }
  }

  /** Fails all requests. */
  close(error: () => StreamError): void {
    for (const id of [...this.#pending.keys()]) this.#fail(id, error());
  }

  /** Ends a request that takes too long, or whose signal is aborted. */
  #watch(id: string, pending: Pending): void {
    const { identity, options: { signal, timeout = DEFAULT_TIMEOUT_MS } } = pending;
    const { clock } = this.#context;
    const cancel = (error: StreamError): void => {
      this.#fail(id, error);
      this.#tellCancelled(id, pending, error.code);
    };
    const late = (): void => cancel(failure("timeout", `no reply began within ${timeout} ms`, id, identity));
    const timer = timeout === Infinity ? undefined : clock.setTimeout(late, timeout);
    const leave = signal && onAbort(signal, () => cancel(abortedBy(signal, id, identity)));
    pending.leave = () => {
      clock.clearTimeout(timer);
      leave?.();
    };
  }

  /** Settles a request. Undefined if it was settled before. */
  #settle(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    this.#ended.set(id, { identity: pending.identity, topic: pending.topic });
    pending.leave();
    return pending;
  }

  #fail(id: string, error: StreamError): void {
    const pending = this.#settle(id);
    if (pending === undefined) return;
    pending.reply.reject(error);
    pending.body.abort(error);
  }

  /** Handles the failure of the request's own text. After the reply has begun, only its source's failure is of interest. */
  #unsent(id: string, { identity, topic, body }: Pending, error: unknown): void {
    const { code, cause } = error as StreamError;
    if (this.#pending.has(id)) this.#fail(id, error as StreamError);
    else if (code === "aborted" && cause !== undefined && !body.signal.aborted) {
      this.#context.report(error, { streamId: id, topic, identity });
    }
  }

  /** Tells a Millrace runtime that nobody waits for its reply. Another SDK would take the message for a request. */
  #tellCancelled(id: string, { identity, topic }: Target, code: StreamErrorCode): void {
    if (!this.#context.isMillrace(identity)) return;
    this.#context.calls.sendText(code, {
      ...{ topic, replyToId: id, destinationIdentities: [identity], confirm: true },
      attributes: { [REQUEST_STATE]: CANCELLED },
    }).catch(() => {}); // it has left, or has ended the request
  }

  /** Takes a stream as the reply. A late one and a second one are refused. */
  async #take(id: string, stream: IncomingStream): Promise<void> {
    if (stream.description.info.attributes[REQUEST_STATE] === FAILED) return await this.#takeFailure(id, stream);
    const pending = this.#settle(id);
    if (pending === undefined) throw refuse(stream, "its request has a reply or has ended");
    const { options: { reply = stream.description.kind, schema, signal }, identity } = pending;
    const kind = reply === "records" ? "text" : reply;
    if (stream.description.kind !== kind) {
      refuse(stream, `its request wants ${reply}`);
      return pending.reply.reject(failure("refused", `the reply must be ${reply}: got ${stream.description.kind}`, id, identity));
    }
    if (signal !== undefined) {
      const leave = onAbort(signal, () => {
        stream.actor.send({ type: "cancel.requested", error: abortedBy(signal, id, identity) });
      });
      stream.closed.then(leave, leave);
    }
    if (reply === "records") pending.reply.resolve(new RecordReader(stream, schema));
    else pending.reply.resolve(kind === "text" ? new TextReader(stream) : new ByteReader(stream));
  }

  /** Takes the message that the request's handler has failed. */
  async #takeFailure(id: string, stream: IncomingStream): Promise<void> {
    const reason = await new TextReader(stream).readAll().catch((error: StreamError) => error.reason ?? "");
    const { from: identity } = stream;
    const message = `Cannot get a reply as the handler of "${identity}" failed${inBrackets(reason)}: stream id is "${id}"`;
    this.#fail(id, new StreamError("cancelled", message, { streamId: id, identity, ...(reason === "" ? {} : { reason }) }));
  }
}

function failure(code: StreamErrorCode, why: string, streamId: string, identity: string): StreamError {
  return new StreamError(code, `Cannot get a reply from "${identity}" as ${why}: stream id is "${streamId}"`, {
    streamId,
    identity,
  });
}

function abortedBy(signal: AbortSignal, streamId: string, identity: string): StreamError {
  const message = `Cannot get a reply from "${identity}" as the signal was aborted${
    inBrackets(signal.reason)
  }: stream id is "${streamId}"`;
  return new StreamError("aborted", message, { cause: signal.reason, streamId, identity });
}
