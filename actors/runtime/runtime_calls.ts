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
import type { SchemaInput, SchemaOutput, StandardSchema } from "../../protocol/schema.ts";
import type { ByteStreamHandler, HandlerOptions, TextStreamHandler } from "../readers/handlers.ts";
import type { ByteStreamReader, TextStreamReader } from "../readers/reader.ts";
import type { ReplyReader, RequestOptions } from "../requests/options.ts";
import type { RequestHandler } from "../requests/request.ts";
import type { Requests } from "../requests/requests.ts";
import type { RecordHandlerOptions, RecordStreamHandler, RecordStreamReader } from "../records/reader.ts";
import type { RecordStreamWriter } from "../records/writer.ts";
import { type ByteSource, dismissSource, type TextSource } from "../writers/sources.ts";
import type { ByteStreamWriter, TextStreamWriter } from "../writers/writer.ts";
import type { IncomingStreamManager } from "./incoming_manager.ts";
import type { OutgoingStreamManager } from "./outgoing_manager.ts";
import type { Runtime } from "./runtime.ts";
import { openBytes, openRecords, openText, sendBytes, sendFile, sendText } from "./sending_calls.ts";

/** Calls of a runtime that send streams and register handlers. */
export abstract class RuntimeCalls
  implements Omit<Runtime, "identity" | "actor" | "stats" | "close" | typeof Symbol.asyncDispose> {
  protected abstract readonly sending: OutgoingStreamManager;
  protected abstract readonly receiving: IncomingStreamManager;
  protected abstract readonly requests: Requests;

  /** Throws the error of a call on an ended runtime. */
  protected abstract assertOpen(action: string): void;

  async streamText(options: TextStreamOptions = {}): Promise<TextStreamWriter> {
    this.assertOpen("open a text stream");
    return await openText(this.sending, options);
  }

  async sendText(text: TextSource, options: SendTextOptions = {}): Promise<TextStreamInfo> {
    this.#assertOpen("send the text", text);
    return await sendText(this.sending, text, options);
  }

  async streamRecords<S extends StandardSchema = StandardSchema>(
    options: RecordStreamOptions<S> = {},
  ): Promise<RecordStreamWriter<SchemaInput<S>>> {
    this.assertOpen("open a record stream");
    return await openRecords(this.sending, options);
  }

  async streamBytes(options: ByteStreamOptions = {}): Promise<ByteStreamWriter> {
    this.assertOpen("open a byte stream");
    return await openBytes(this.sending, options);
  }

  async sendBytes(data: ByteSource, options: SendBytesOptions = {}): Promise<ByteStreamInfo> {
    this.#assertOpen("send the bytes", data);
    return await sendBytes(this.sending, data, options);
  }

  async sendFile(file: FileToSend, options: SendFileOptions = {}): Promise<ByteStreamInfo> {
    this.assertOpen("send the file");
    return await sendFile(this.sending, file, options);
  }

  registerTextStreamHandler(topic: string, handler: TextStreamHandler, options?: HandlerOptions): void {
    this.assertOpen("register the text stream handler");
    this.receiving.registerText(topic, handler, options);
  }

  registerByteStreamHandler(topic: string, handler: ByteStreamHandler, options?: HandlerOptions): void {
    this.assertOpen("register the byte stream handler");
    this.receiving.registerBytes(topic, handler, options);
  }

  registerRecordStreamHandler<S extends StandardSchema = StandardSchema>(
    topic: string,
    handler: RecordStreamHandler<SchemaOutput<S>>,
    options?: RecordHandlerOptions<S>,
  ): void {
    this.assertOpen("register the record stream handler");
    this.receiving.registerRecords(topic, handler, options);
  }

  request<S extends StandardSchema = StandardSchema>(
    identity: string,
    topic: string,
    body: TextSource,
    options: RequestOptions<S> & { reply: "records" },
  ): Promise<RecordStreamReader<SchemaOutput<S>>>;
  request(
    identity: string,
    topic: string,
    body: TextSource,
    options: RequestOptions & { reply: "text" },
  ): Promise<TextStreamReader>;
  request(
    identity: string,
    topic: string,
    body: TextSource,
    options: RequestOptions & { reply: "bytes" },
  ): Promise<ByteStreamReader>;
  request(
    identity: string,
    topic: string,
    body: TextSource,
    options?: RequestOptions,
  ): Promise<TextStreamReader | ByteStreamReader>;
  async request(identity: string, topic: string, body: TextSource, options: RequestOptions = {}): Promise<ReplyReader> {
    this.#assertOpen("send the request", body);
    return await this.requests.request(identity, topic, body, options);
  }

  registerRequestHandler(topic: string, handler: RequestHandler): void {
    this.assertOpen("register the request handler");
    this.receiving.registerRequests(topic, handler, this.requests.handlerFor(handler));
  }

  unregisterTextStreamHandler(topic: string): void {
    this.receiving.text.remove(topic, "text stream");
  }

  unregisterByteStreamHandler(topic: string): void {
    this.receiving.bytes.remove(topic, "byte stream");
  }

  unregisterRecordStreamHandler(topic: string): void {
    this.receiving.text.remove(topic, "record stream");
  }

  unregisterRequestHandler(topic: string): void {
    this.receiving.text.remove(topic, "request");
  }

  /** Throws the error of a call on an ended runtime, and ends the source that the call was given. */
  #assertOpen(action: string, source: unknown): void {
    try {
      this.assertOpen(action);
    } catch (error) {
      dismissSource(source);
      throw error;
    }
  }
}
