import type { AnyActorRef } from "xstate";
import type { ByteStreamInfo, TextStreamInfo } from "../../protocol/info.ts";
import type {
  ByteStreamOptions,
  RecordStreamOptions,
  SendBytesOptions,
  SendFileOptions,
  SendTextOptions,
  TextStreamOptions,
} from "../../protocol/options.ts";
import type { FileToSend } from "../../protocol/files.ts";
import type { SchemaInput, SchemaOutput, StandardSchema } from "../../protocol/schema.ts";
import type { ByteStreamReader, TextStreamReader } from "../readers/reader.ts";
import type { RequestOptions } from "../requests/options.ts";
import type { RequestHandler } from "../requests/request.ts";
import type { RecordHandlerOptions, RecordStreamHandler, RecordStreamReader } from "../records/reader.ts";
import type { RecordStreamWriter } from "../records/writer.ts";
import type { RuntimeStats } from "../stats/stats.ts";
import type { ByteStreamWriter, TextStreamWriter } from "../writers/writer.ts";
import type { ByteStreamHandler, HandlerOptions, TextStreamHandler } from "../readers/handlers.ts";
import type { ByteSource, TextSource } from "../writers/sources.ts";

/**
 * A participant that sends and receives streams, made by `createRuntime`.
 *
 * `destinationIdentities` names the receivers of a stream; without them the stream is a broadcast.
 *
 * Sending calls reject with a StreamError: "invalid-argument" and "duplicate-stream" before anything is sent; "disconnected" if all named
 * receivers are absent; "aborted" by a signal; "transport". Once no receiver is left, they reject with the last one's code: "cancelled",
 * "refused", "too-large", "timeout" or "disconnected". After `close` every call fails with "closed", after the transport's end with
 * "disconnected".
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 *
 * const hub = createHub();
 * const alice = await createRuntime({ transport: hub.join("alice") });
 * const bob = await createRuntime({ transport: hub.join("bob") });
 * bob.registerByteStreamHandler("samples", async (reader) => console.log(await reader.readAll()));
 *
 * const info = await alice.sendBytes(new Uint8Array(100_000), { topic: "samples", destinationIdentities: ["bob"] });
 * if (info.receipts?.[0]?.bytes !== 100_000) throw new Error("Bob has not all of it");
 * await alice.close();
 * await bob.close();
 * ```
 */
export interface Runtime extends AsyncDisposable {
  /** Identity, verified by the transport. */
  readonly identity: string;
  /** Root actor: "open", "closing" or "closed". The streams' actors are its children. */
  readonly actor: AnyActorRef;
  /** Opens a text stream for writing. Resolves when the header was handed to the transport. */
  streamText(options?: TextStreamOptions): Promise<TextStreamWriter>;
  /**
   * Sends a text, or all parts of a source as they come. Resolves when all bytes were handed to the transport; with `confirm`, when receipts
   * have arrived. Rejects with "aborted" and the `cause` if the source fails; receivers get a neutral reason, or a StreamError's own. If the
   * stream fails, the source is returned or cancelled: a model stops when nobody listens.
   */
  sendText(text: TextSource, options?: SendTextOptions): Promise<TextStreamInfo>;
  /**
   * Opens a record stream for writing: a text stream of one JSON value a line. Resolves when the header was handed to the transport. With a
   * `schema` of zod, valibot or arktype, each value is checked before it is sent.
   */
  streamRecords<S extends StandardSchema = StandardSchema>(
    options?: RecordStreamOptions<S>,
  ): Promise<RecordStreamWriter<SchemaInput<S>>>;
  /**
   * Sends a request to one participant. Resolves with the reply's reader when the reply begins. `reply` says which kind the reply must have;
   * without it the reader is of the kind that comes.
   *
   * Rejects with "disconnected" if the participant is absent or leaves, "refused" without a handler there, "cancelled" if the handler fails.
   * No reply within `timeout` milliseconds (default 30,000) is "timeout", and an abort of the `signal` "aborted". Both abort the signal at
   * the other end, and so does `cancel` of the reader. Late and further replies go to `onError`.
   *
   * @example
   * ```ts
   * import { createHub, createRuntime } from "millrace";
   *
   * const hub = createHub();
   * const alice = await createRuntime({ transport: hub.join("alice") });
   * const bob = await createRuntime({ transport: hub.join("bob") });
   * bob.registerRequestHandler("shout", async (request, reply) => {
   *   const text = await request.reader.readAll();
   *   await reply.sendText(text.toUpperCase(), { signal: request.signal });
   * });
   *
   * const reply = await alice.request("bob", "shout", "hello", { reply: "text", timeout: 5_000 });
   * if (await reply.readAll() !== "HELLO") throw new Error("Bob has said something else");
   * await alice.close();
   * await bob.close();
   * ```
   */
  request(
    identity: string,
    topic: string,
    body: TextSource,
    options: RequestOptions & { reply: "text" },
  ): Promise<TextStreamReader>;
  /** Sends a request whose reply are bytes. */
  request(
    identity: string,
    topic: string,
    body: TextSource,
    options: RequestOptions & { reply: "bytes" },
  ): Promise<ByteStreamReader>;
  /** Sends a request whose reply are records. */
  request<S extends StandardSchema = StandardSchema>(
    identity: string,
    topic: string,
    body: TextSource,
    options: RequestOptions<S> & { reply: "records" },
  ): Promise<RecordStreamReader<SchemaOutput<S>>>;
  /** Sends a request whose reply may be text or bytes. */
  request(
    identity: string,
    topic: string,
    body: TextSource,
    options?: RequestOptions,
  ): Promise<TextStreamReader | ByteStreamReader>;
  /** Opens a byte stream for writing. Resolves when the header was handed to the transport. */
  streamBytes(options?: ByteStreamOptions): Promise<ByteStreamWriter>;
  /**
   * Sends bytes, or all values of a source. Resolves when receipts have arrived; with `confirm: false`, when all bytes were handed to the
   * transport. Rejects with "aborted" and the `cause` if the source fails.
   */
  sendBytes(data: ByteSource, options?: SendBytesOptions): Promise<ByteStreamInfo>;
  /**
   * Sends a file, which workers read: a path or file URL, in a page a `File` or `FileSystemFileHandle`. Resolves when receipts have arrived;
   * with `confirm: false`, when all bytes were handed to the transport. Rejects with "file-error" if the file cannot be read or changes during the send.
   */
  sendFile(file: FileToSend, options?: SendFileOptions): Promise<ByteStreamInfo>;
  /** Registers the handler of a topic's text streams. Throws "handler-exists" if the topic already has one. */
  registerTextStreamHandler(topic: string, handler: TextStreamHandler, options?: HandlerOptions): void;
  /** Registers the handler of a topic's byte streams. Throws "handler-exists" if the topic already has one. */
  registerByteStreamHandler(topic: string, handler: ByteStreamHandler, options?: HandlerOptions): void;
  /**
   * Registers a handler that reads a topic's text streams as records: one JSON value a line, checked by the `schema`. Throws
   * "handler-exists" if the topic already has one of text streams.
   */
  registerRecordStreamHandler<S extends StandardSchema = StandardSchema>(
    topic: string,
    handler: RecordStreamHandler<SchemaOutput<S>>,
    options?: RecordHandlerOptions<S>,
  ): void;
  /**
   * Registers the handler of a topic's requests: text streams of any SDK, each answered by one stream that replies to it. Throws
   * "handler-exists" if the topic already has a handler of text streams.
   */
  registerRequestHandler(topic: string, handler: RequestHandler): void;
  /** Removes the handler. Streams that have it keep it. */
  unregisterTextStreamHandler(topic: string): void;
  /** Removes the handler. Streams that have it keep it. */
  unregisterByteStreamHandler(topic: string): void;
  /** Removes the handler. Streams that have it keep it. */
  unregisterRecordStreamHandler(topic: string): void;
  /** Removes the handler. Requests that have it keep it. */
  unregisterRequestHandler(topic: string): void;
  /**
   * State of the runtime now, as plain data: participants, open streams and what each waits for, the last streams that have ended. The first
   * call starts a timer for the holds of the event loop, which rests ten seconds after the last one.
   */
  stats(): RuntimeStats;
  /**
   * Aborts open writers, ends open readers with "disconnected", says goodbye, and closes the transport. Resolves when part files of `saveTo`
   * are removed. Idempotent.
   */
  close(): Promise<void>;
}
