import { StreamError, type StreamErrorCode } from "../../errors.ts";
import { isAbortSignal, isError } from "../../common/realms.ts";
import { isRecord } from "../../common/shapes.ts";
import type { FileToSend } from "../../protocol/files.ts";
import type { ByteStreamInfo, TextStreamInfo } from "../../protocol/info.ts";
import type {
  ByteStreamOptions,
  RecordStreamOptions,
  SendBytesOptions,
  SendTextOptions,
  StreamOptions,
  TextStreamOptions,
} from "../../protocol/options.ts";
import type { SchemaInput, StandardSchema } from "../../protocol/schema.ts";
import { followSignal } from "../common/follow_signal.ts";
import type { TextStreamReader } from "../readers/reader.ts";
import type { RecordStreamWriter } from "../records/writer.ts";
import { type ByteSource, dismissSource, type TextSource } from "../writers/sources.ts";
import { type ByteStreamWriter, settledOf, type StreamWriter, type TextStreamWriter } from "../writers/writer.ts";
import { FAILED, REPLY_TO, REQUEST_STATE, type RequestReply, type StreamCalls } from "./request.ts";

/** Reason of a reply whose handler has failed. Its error stays here. */
const HANDLER_FAILED = "its handler failed";

/** Request that a reply belongs to. */
interface Request {
  readonly streamId: string;
  readonly from: string;
  readonly topic: string;
  /** Whether a Millrace runtime has sent it. */
  readonly isMillrace: boolean;
}

/** The reply to one request, and the signal of those who wait for it. */
export class Reply implements RequestReply {
  readonly #calls: StreamCalls;
  readonly #request: Request;
  readonly #ended: () => void;
  readonly #cancelled = new AbortController();
  /** Ends the reply's stream. */
  readonly #stream = new AbortController();
  #writer: StreamWriter<never> | undefined;
  #state: "none" | "begun" | "ended" = "none";
  /** Failure of the reply that is not its receiver's doing, as that of its source. */
  #failure: unknown;
  /** Reader of a request whose handler has returned. */
  #handled: TextStreamReader | undefined;

  /** `ended` is called when the reply has ended, or the request was cancelled. */
  constructor(calls: StreamCalls, request: Request, ended: () => void) {
    this.#calls = calls;
    this.#request = request;
    this.#ended = ended;
  }

  get signal(): AbortSignal {
    return this.#cancelled.signal;
  }

  sendText(text: TextSource, options: SendTextOptions = {}): Promise<TextStreamInfo> {
    return this.#begin(options, (given) => this.#calls.sendText(text, this.#ofText(given)), text);
  }

  streamText(options: TextStreamOptions = {}): Promise<TextStreamWriter> {
    return this.#open(options, (given) => this.#calls.streamText(this.#ofText(given)));
  }

  streamRecords<S extends StandardSchema = StandardSchema>(
    options: RecordStreamOptions<S> = {},
  ): Promise<RecordStreamWriter<SchemaInput<S>>> {
    return this.#open(options, (given) => this.#calls.streamRecords(this.#ofText(given)));
  }

  sendBytes(data: ByteSource, options: SendBytesOptions = {}): Promise<ByteStreamInfo> {
    return this.#begin(options, (given) => this.#calls.sendBytes(data, this.#ofBytes(given)), data);
  }

  streamBytes(options: ByteStreamOptions = {}): Promise<ByteStreamWriter> {
    return this.#open(options, (given) => this.#calls.streamBytes(this.#ofBytes(given)));
  }

  sendFile(file: FileToSend, options: SendBytesOptions = {}): Promise<ByteStreamInfo> {
    return this.#begin(options, (given) => this.#calls.sendFile(file, this.#ofBytes(given)));
  }

  /** Ends the request on behalf of its sender: tells the handler, and ends the reply. */
  cancel(error: StreamError): void {
    if (this.#state === "ended") return;
    this.#cancelled.abort(error);
    this.#stream.abort(error);
    this.#end();
  }

  /** Notes that the handler has returned. */
  async handled(reader: TextStreamReader): Promise<void> {
    this.#handled = reader;
    if (this.#state === "ended") await reader.cancel();
  }

  /** Tells the request's sender that the handler has failed. */
  async fail(): Promise<void> {
    if (this.#state === "begun") {
      await this.#writer?.abort(HANDLER_FAILED);
      this.#stream.abort(new Error(HANDLER_FAILED));
    } else if (this.#state === "none" || this.#failure !== undefined) {
      if (this.#state === "none") this.#state = "begun";
      await this.#sendFailure(); // ignored if the receiver has seen the reply fail
    }
    this.#end();
  }

  /** Whether a handler's error is that of a request that nobody waits for. */
  isOwn(error: unknown): boolean {
    const { signal } = this.#cancelled;
    return signal.aborted && error !== this.#failure && (error === signal.reason || error instanceof StreamError ||
      (isError(error) && error.name === "AbortError"));
  }

  async #sendFailure(): Promise<void> {
    try {
      const writer = await this.#calls.streamText(this.#ofText({ attributes: { [REQUEST_STATE]: FAILED } }));
      await writer.abort(HANDLER_FAILED);
    } catch {
      // the request's sender has left
    }
  }

  /** Opens a writer, which is followed to its end. */
  async #open<W extends StreamWriter<never>, O extends StreamOptions>(options: O, open: (options: O) => Promise<W>): Promise<W> {
    let opened: W | undefined;
    await new Promise<void>((resolve, reject) => {
      const reply = this.#begin(options, async (given) => {
        opened = await open(given);
        this.#writer = opened;
        resolve();
        await settledOf(opened);
      });
      reply.catch(reject);
    });
    return opened as W;
  }

  /** Makes the call that sends the reply, and follows it to the reply's end. */
  async #begin<R, O extends StreamOptions>(options: O, send: (options: O) => Promise<R>, source?: unknown): Promise<R> {
    this.#assertOpen(source);
    this.#state = "begun";
    const given = isRecord(options) ? options.signal : undefined;
    const leave = followSignal(this.#stream, isAbortSignal(given) ? given : undefined);
    try {
      const isValid = isRecord(options) && (given === undefined || isAbortSignal(given));
      const result = await send(isValid ? { ...options, signal: this.#stream.signal } : options);
      this.#end();
      return result;
    } catch (error) {
      const isUnsent = error instanceof StreamError && error.code === "invalid-argument" && this.#writer === undefined;
      if (isUnsent && this.#state === "begun") this.#state = "none"; // another call may succeed
      else {
        if (!this.#stream.signal.aborted) {
          if (!isOfReceiver(error)) this.#failure = error;
          this.#cancelled.abort(error);
        }
        this.#end();
      }
      throw error;
    } finally {
      leave();
    }
  }

  #assertOpen(source: unknown): void {
    const { streamId, from: identity } = this.#request;
    if (this.#cancelled.signal.aborted) {
      dismissSource(source);
      throw this.#cancelled.signal.reason;
    }
    if (this.#state === "none") return;
    dismissSource(source);
    throw new StreamError("closed", `Cannot reply to the request as it has a reply: stream id is "${streamId}"`, {
      streamId,
      identity,
    });
  }

  #end(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#ended();
    void this.#handled?.cancel(); // an unread request
  }

  #ofText<O extends StreamOptions>(options: O): O {
    if (!isRecord(options)) return options;
    const { streamId: replyToId, isMillrace } = this.#request;
    const attributes = isMillrace ? {} : { attributes: { ...options.attributes, [REPLY_TO]: replyToId } }; // rtc-node shows no field
    return { ...options, ...this.#target, replyToId, ...attributes };
  }

  #ofBytes<O extends StreamOptions>(options: O): O {
    if (!isRecord(options)) return options;
    return { ...options, ...this.#target, attributes: { ...options.attributes, [REPLY_TO]: this.#request.streamId } };
  }

  get #target(): { topic: string; destinationIdentities: readonly string[] } {
    return { topic: this.#request.topic, destinationIdentities: [this.#request.from] };
  }
}

/** Codes of a reply whose receiver does not want it, or has left. */
const OF_RECEIVER: ReadonlySet<string> = new Set<StreamErrorCode>(["cancelled", "closed", "disconnected", "refused", "timeout"]);

/** Whether a reply has ended for want of its receiver, or by the handler's own `abort`. */
function isOfReceiver(error: unknown): boolean {
  return error instanceof StreamError && (OF_RECEIVER.has(error.code) || (error.code === "aborted" && error.cause === undefined));
}
