import { inBrackets, StreamError } from "../../errors.ts";
import { onAbort } from "../../protocol/abort.ts";
import type { ByteStreamInfo, TextStreamInfo } from "../../protocol/info.ts";
import { assertReadOptions, assertSaveOptions, assertText, type SaveOptions } from "../../protocol/options.ts";
import type { ProgressTracker } from "../../protocol/progress.ts";
import { shouldYield, yieldToEventLoop } from "../../event_loop.ts";
import { reasonText } from "../common/callbacks.ts";
import type { AnyActorRef } from "xstate";
import type { ReceivedBlock } from "../incoming/receive_buffer.ts";
import type { Trailer } from "../incoming/trailer.ts";
import type { IncomingStream } from "../incoming/stream.ts";
import { checked, DecodePipeline } from "./decode_pipeline.ts";
import { saveStream } from "./save.ts";

/** Reader of text or bytes. Consumed once, by one of iteration, `readable`, `readAll` or `saveTo`. */
export interface StreamReader<T> extends AsyncIterable<T>, AsyncDisposable {
  /** How far it has come. */
  readonly progress: ProgressTracker;
  /**
   * The stream's bytes or text as a web stream: one, however often it is asked for. Of bytes it is a byte stream, which BYOB readers read
   * too. Cancelling it cancels the stream.
   */
  readonly readable: ReadableStream<T>;
  /** The trailer, once all was taken and checked; rejects as the iteration does. */
  readonly closed: Promise<{ reason: string; attributes: Record<string, string> }>;
  /** The stream's actor: its `getSnapshot().value` is "offered", "receiving", "closed" or "failed". */
  readonly actor: AnyActorRef;
  /** Tells the sender to stop. Leaving a `for await` loop early does so too. After the end it does nothing. */
  cancel(reason?: string): Promise<void>;
}

/**
 * A text stream on its way in. Iteration yields strings as they come; a code point is never split.
 *
 * Ends with a StreamError: "aborted" by the sender, "cancelled" here, "disconnected", "timeout", "incomplete", "corrupt", "too-large",
 * "refused"; "closed" for a second consumer.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 *
 * const hub = createHub();
 * const alice = await createRuntime({ transport: hub.join("alice") });
 * const bob = await createRuntime({ transport: hub.join("bob") });
 * bob.registerTextStreamHandler("thoughts", async (reader, { identity }) => {
 *   for await (const part of reader) console.log(`${identity}: ${part}`);
 *   const { reason } = await reader.closed;
 *   if (reason !== "done") throw new Error("Another reason was given");
 * });
 *
 * const writer = await alice.streamText({ topic: "thoughts", confirm: true });
 * await writer.write("Let me see");
 * await writer.close({ reason: "done" });
 * await alice.close();
 * await bob.close();
 * ```
 */
export interface TextStreamReader extends StreamReader<string> {
  /** Description of the stream, from its sender. */
  readonly info: TextStreamInfo;
  /** The whole text. Over `limits.readAllBytes` bytes: "too-large". */
  readAll(options?: { signal?: AbortSignal }): Promise<string>;
}

/**
 * A byte stream on its way in. Iteration yields arrays that are yours. Errors as for {@linkcode TextStreamReader}.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 *
 * const hub = createHub();
 * const alice = await createRuntime({ transport: hub.join("alice") });
 * const bob = await createRuntime({ transport: hub.join("bob") });
 * bob.registerByteStreamHandler("reports", async (reader) => {
 *   const { path, bytes } = await reader.saveTo("inbox/"); // made if it is not there; the name is made safe
 *   console.log(path, bytes);
 * });
 *
 * const { receipts } = await alice.sendFile("report.pdf", { topic: "reports" });
 * if (receipts?.[0]?.bytes !== 1_000_000) throw new Error("The file did not arrive");
 * await alice.close();
 * await bob.close();
 * ```
 */
export interface ByteStreamReader extends StreamReader<Uint8Array> {
  /** Description of the stream, from its sender. */
  readonly info: ByteStreamInfo;
  /** All bytes in one array. Over `limits.readAllBytes`: "too-large". */
  readAll(options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  /**
   * Writes the bytes to a file, whole or not at all. A folder (it exists, or the path ends in a slash, then it is made) gets a file by
   * the sender's name made safe, with a number if that is taken; a stream without a name is saved as "file" with its MIME type's extension. A path given in full
   * that exists: "file-exists". With `overwrite` what stands there is replaced, in a folder the file of that name.
   * Further errors: "unsafe-name", "file-error" with `cause`.
   */
  saveTo(path: string | URL, options?: SaveOptions): Promise<{ path: string; bytes: number }>;
}

abstract class Reader<T> implements StreamReader<T> {
  protected readonly stream: IncomingStream;
  #consumed = false;
  #readable: ReadableStream<T> | undefined;

  constructor(stream: IncomingStream) {
    this.stream = stream;
  }

  get progress(): ProgressTracker {
    return this.stream.tracker;
  }

  get closed(): Promise<Trailer> {
    return this.stream.closed;
  }

  get actor(): AnyActorRef {
    return this.stream.actor;
  }

  get readable(): ReadableStream<T> {
    return this.#readable ??= this.openReadable(this[Symbol.asyncIterator]());
  }

  /** The values as a web stream. */
  protected abstract openReadable(values: AsyncIterator<T>): ReadableStream<T>;

  /** Cancels the stream on behalf of the web stream. */
  protected async cancelReadable(values: AsyncIterator<T>, reason: unknown): Promise<void> {
    await this.cancel(reasonText(reason));
    await values.return?.(); // gives back what is at work
  }

  // deno-lint-ignore require-await -- a wrong reason is a rejection
  async cancel(reason?: string): Promise<void> {
    if (reason !== undefined) assertText(reason, "cancel the stream with the reason");
    this.cancelWith(this.stream.failure("cancelled", "it was cancelled", reason));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cancel();
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    this.claim();
    const values = this.values();
    return {
      next: () => values.next(),
      // The loop was left early. A generator alone would not cancel before its first value, nor while it waits for one.
      return: async () => {
        await this.cancel();
        return await values.return();
      },
    };
  }

  /** The values in order; at the end the stream is closed. */
  protected abstract values(): AsyncGenerator<T, void, undefined>;

  protected claim(): void {
    if (this.#consumed) {
      const { streamId } = this.stream;
      throw new StreamError("closed", `Cannot read the stream as it has a consumer already: stream id is "${streamId}"`, {
        streamId,
      });
    }
    this.#consumed = true;
    this.stream.unread.consumed(true);
  }

  protected unclaim(): void {
    this.#consumed = false;
    this.stream.unread.consumed(false);
  }

  protected cancelWith(error: StreamError): void {
    if (!this.stream.ended) this.stream.actor.send({ type: "cancel.requested", error });
  }

  /** The results of work on each block, in order. */
  protected async *results<R>(work: (block: ReceivedBlock) => R | Promise<R>): AsyncGenerator<R, void, undefined> {
    const pipeline = new DecodePipeline(this.stream, work);
    try {
      for (let next = await pipeline.next(); next !== undefined; next = await pipeline.next()) yield next.result;
      this.stream.actor.send({ type: "stream.consumed" });
    } catch (error) {
      throw this.failed(error);
    } finally {
      await pipeline.abandon();
    }
  }

  /** Error for the consumer: the stream's, if it failed; else the stream fails with the consumer's. */
  protected failed(error: unknown): StreamError {
    const { stream } = this;
    if (stream.error !== undefined) return stream.error;
    const failure = error instanceof StreamError ? error : stream.failure("corrupt", "it could not be read");
    this.cancelWith(failure);
    return stream.error ?? failure;
  }

  /** Runs a consumer that a signal can end. */
  protected async consume<R>(signal: AbortSignal | undefined, run: () => Promise<R>): Promise<R> {
    this.claim();
    const abort = (): void => {
      const { streamId, from: identity } = this.stream;
      const message = `Cannot go on reading as the signal was aborted${inBrackets(signal?.reason)}: stream id is "${streamId}"`;
      this.cancelWith(new StreamError("aborted", message, { cause: signal?.reason, streamId, identity }));
    };
    if (signal?.aborted === true) abort();
    const leave = signal && onAbort(signal, abort);
    try {
      return await run();
    } finally {
      leave?.();
    }
  }

  /** Throws "too-large" once more bytes came than `readAll` may gather. */
  protected assertGatherable(bytes: number): void {
    const { readAllBytes } = this.stream.context.limits;
    if (bytes <= readAllBytes) return;
    const error = this.stream.failure("too-large", `readAll gathers ${readAllBytes} bytes at most`);
    this.cancelWith(error);
    throw error;
  }
}

/** A byte order mark is the sender's own. */
const AS_SENT = { ignoreBOM: true };

const wholeDecoder = new TextDecoder("utf-8", AS_SENT);

export class TextReader extends Reader<string> implements TextStreamReader {
  get info(): TextStreamInfo {
    return this.stream.description.info as TextStreamInfo;
  }

  async readAll(options: { signal?: AbortSignal } = {}): Promise<string> {
    assertReadOptions(options);
    return await this.consume(options.signal, async () => {
      this.assertGatherable(this.info.size ?? 0);
      let text = "";
      for await (const part of this.values()) {
        this.assertGatherable(this.stream.content.consumed);
        text += part;
      }
      return text;
    });
  }

  protected override openReadable(values: AsyncIterator<string>): ReadableStream<string> {
    return new ReadableStream<string>({
      async pull(controller) {
        const { done, value } = await values.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => this.cancelReadable(values, reason),
    }, { highWaterMark: 0 });
  }

  protected override async *values(): AsyncGenerator<string, void, undefined> {
    if (!this.stream.isMillrace) return yield* this.#foreignValues();
    // Chunks and frames of a Millrace sender are valid UTF-8 each by itself.
    const texts = this.results<string>((block) =>
      checked(this.stream, block, (codec, span, digest, how) => codec.decodeText(span, digest, how)) ??
        wholeDecoder.decode(block.memory)
    );
    for await (const text of texts) if (text !== "") yield text;
  }

  /** Another SDK may cut between the bytes of a code point. */
  async *#foreignValues(): AsyncGenerator<string, void, undefined> {
    const decoder = new TextDecoder("utf-8", AS_SENT);
    for await (const part of this.results((block) => block.memory)) {
      const text = decoder.decode(part, { stream: true });
      if (text !== "") yield text;
    }
    const rest = decoder.decode();
    if (rest !== "") yield rest;
  }
}

export class ByteReader extends Reader<Uint8Array> implements ByteStreamReader {
  get info(): ByteStreamInfo {
    return this.stream.description.info as ByteStreamInfo;
  }

  async readAll(options: { signal?: AbortSignal } = {}): Promise<Uint8Array> {
    assertReadOptions(options);
    return await this.consume(options.signal, async () => {
      this.assertGatherable(this.info.size ?? 0);
      const parts: Uint8Array[] = [];
      let bytes = 0;
      for await (const part of this.values()) {
        bytes += part.length;
        this.assertGatherable(bytes);
        parts.push(part);
      }
      return await join(parts, bytes);
    });
  }

  async saveTo(path: string | URL, options: SaveOptions = {}): Promise<{ path: string; bytes: number }> {
    assertSaveOptions(options);
    return await this.consume(options.signal, async () => {
      try {
        return await saveStream(this.stream, this.info.name, path, options);
      } catch (error) {
        if (!(error instanceof StreamError) || error.code !== "invalid-argument") throw this.failed(error);
        this.unclaim(); // it is no path: nothing was taken, and another call may do better
        throw error;
      }
    });
  }

  protected override openReadable(values: AsyncIterator<Uint8Array>): ReadableStream<Uint8Array> {
    return new ReadableStream({
      type: "bytes",
      async pull(controller) {
        const { done, value } = await values.next();
        if (done !== true) return controller.enqueue(value as Uint8Array<ArrayBuffer>); // the array is nobody else's
        controller.close();
        controller.byobRequest?.respond(0); // the view of who reads into one is given back
      },
      cancel: (reason) => this.cancelReadable(values, reason),
    });
  }

  protected override values(): AsyncGenerator<Uint8Array, void, undefined> {
    return this.results((block) => {
      return checked(this.stream, block, (codec, span, digest, how) => codec.extract(span, digest, how)) ?? block.memory; // a block of a plain stream is an array of its own
    });
  }
}

/** One array of all parts, in time slices. */
async function join(parts: readonly Uint8Array[], bytes: number): Promise<Uint8Array> {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
    if (shouldYield()) await yieldToEventLoop();
  }
  return whole;
}
