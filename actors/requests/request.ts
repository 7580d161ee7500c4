import type { StreamError } from "../../errors.ts";
import type { FileToSend } from "../../protocol/files.ts";
import type { ByteStreamInfo, TextStreamInfo } from "../../protocol/info.ts";
import type {
  ByteStreamOptions,
  RecordStreamOptions,
  SendBytesOptions,
  SendFileOptions,
  SendTextOptions,
  TextStreamOptions,
} from "../../protocol/options.ts";
import type { SchemaInput, StandardSchema } from "../../protocol/schema.ts";
import type { IncomingStream } from "../incoming/stream.ts";
import type { StreamSender } from "../readers/handlers.ts";
import type { TextStreamReader } from "../readers/reader.ts";
import type { RecordStreamWriter } from "../records/writer.ts";
import type { ByteSource, TextSource } from "../writers/sources.ts";
import type { ByteStreamWriter, TextStreamWriter } from "../writers/writer.ts";

/** Request of another participant. */
export interface IncomingRequest {
  /** Reader of the request's text. A handler may ignore it. */
  readonly reader: TextStreamReader;
  /** Sender of the request. */
  readonly sender: StreamSender;
  /**
   * Aborts when nobody waits for the reply any more: the request was cancelled or is over its time, its sender has left, or the reply was
   * cancelled. The signal's reason is a StreamError with the code "cancelled", "aborted", "timeout" or "disconnected". Give it to a model.
   */
  readonly signal: AbortSignal;
}

/** Options of a reply's stream: topic, receiver and `replyToId` are the request's. */
type Own<Options> = Omit<Options, "topic" | "destinationIdentities" | "replyToId">;

/**
 * Calls that send the reply, one of which may be made once. They are those of the runtime, and fail likewise; a second call is "closed". The
 * reply may be sent after the handler has returned.
 */
export interface RequestReply {
  /** Replies with a text, whole or in parts. */
  sendText(text: TextSource, options?: Own<SendTextOptions>): Promise<TextStreamInfo>;
  /** Opens a reply of text for writing. */
  streamText(options?: Own<TextStreamOptions>): Promise<TextStreamWriter>;
  /** Opens a reply of records for writing. */
  streamRecords<S extends StandardSchema = StandardSchema>(
    options?: Own<RecordStreamOptions<S>>,
  ): Promise<RecordStreamWriter<SchemaInput<S>>>;
  /** Replies with bytes. */
  sendBytes(data: ByteSource, options?: Own<SendBytesOptions>): Promise<ByteStreamInfo>;
  /** Opens a reply of bytes for writing. */
  streamBytes(options?: Own<ByteStreamOptions>): Promise<ByteStreamWriter>;
  /** Replies with a file. */
  sendFile(file: FileToSend, options?: Own<SendFileOptions>): Promise<ByteStreamInfo>;
}

/** Handler of the requests of a topic. If it throws or rejects, the request rejects with "cancelled", or its reply is aborted. */
export type RequestHandler = (request: IncomingRequest, reply: RequestReply) => void | Promise<void>;

/** The runtime's calls that requests and replies are made of. */
export interface StreamCalls {
  sendText(text: TextSource, options: SendTextOptions): Promise<TextStreamInfo>;
  streamText(options: TextStreamOptions): Promise<TextStreamWriter>;
  streamRecords<S extends StandardSchema>(options: RecordStreamOptions<S>): Promise<RecordStreamWriter<SchemaInput<S>>>;
  sendBytes(data: ByteSource, options: SendBytesOptions): Promise<ByteStreamInfo>;
  streamBytes(options: ByteStreamOptions): Promise<ByteStreamWriter>;
  sendFile(file: FileToSend, options: SendFileOptions): Promise<ByteStreamInfo>;
}

/** Attribute with the id of the request, of replies that have no field for it: of bytes, and of texts from and to rtc-node. */
export const REPLY_TO = "replyToId";

/** Attribute of the streams that say more of a request than its text: `CANCELLED` of its sender, `FAILED` of its receiver. */
export const REQUEST_STATE = "millrace.request";
export const CANCELLED = "cancelled";
export const FAILED = "failed";

/** Id of the request that a stream replies to. */
export function replyToOf(info: TextStreamInfo | ByteStreamInfo): string | undefined {
  const field = "replyToId" in info ? info.replyToId : undefined;
  return field ?? info.attributes[REPLY_TO];
}

/** Ends a stream that has no place here. Returns its error. */
export function refuse(stream: IncomingStream, why: string): StreamError {
  const error = stream.failure("refused", why, why);
  stream.actor.send({ type: "cancel.requested", error });
  return error;
}
