import type { AnyActorRef } from "xstate";
import { StreamError } from "../../errors.ts";
import { assertEndWithinLimits } from "../../protocol/wire/header.ts";
import type { ByteStreamInfo, TextStreamInfo } from "../../protocol/info.ts";
import { assertCloseOptions, assertText, type CloseOptions, givenBytes } from "../../protocol/options.ts";
import type { ProgressTracker } from "../../protocol/progress.ts";
import type { Bytes } from "../../protocol/realms.ts";
import { SurrogateJoiner, utf8Bytes } from "../../protocol/wire/utf8.ts";
import { ByteProducer } from "./byte_producer.ts";
import type { OutgoingStream } from "./stream.ts";
import { reasonText } from "../common/callbacks.ts";
import { measureText, produceText } from "./text_producer.ts";

/** Writer of text or bytes. */
export interface StreamWriter<T> extends AsyncDisposable {
  /** Bytes given to the transport. */
  readonly progress: ProgressTracker;
  /** The writer as a web stream: closing it closes the stream, aborting it aborts it. */
  readonly writable: WritableStream<T>;
  /** The stream's actor: its `getSnapshot().value` is "open", "writing", "closing", "closed" or "failed". */
  readonly actor: AnyActorRef;
  /**
   * Takes the data, which may be changed once the promise has resolved: then there is room for more, so that awaiting it bounds memory.
   * Rejects with a StreamError: "invalid-argument"; "too-large" over `totalSize`; "closed" after `close`; else what the stream failed with.
   */
  write(data: T): Promise<void>;
  /**
   * Ends the stream; resolves when all was handed to the transport and, with `confirm`, receipts came. Rejects with "incomplete" under
   * `totalSize`, "closed" the second time, or what the stream failed with.
   */
  close(options?: CloseOptions): Promise<void>;
  /** Ends the stream in an error, at all ends. After the end it does nothing. */
  abort(reason?: string): Promise<void>;
}

/**
 * A text stream on its way out: what is written is sent at once. Left in an `await using` scope without `close`, it is aborted.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 *
 * const alice = await createRuntime({ transport: createHub().join("alice") });
 * const writer = await alice.streamText({ topic: "answers" });
 * for (const token of ["Forty", "-", "two"]) await writer.write(token);
 * await writer.close();
 * if (writer.actor.getSnapshot().value !== "closed") throw new Error("The stream has not closed");
 * await alice.close();
 * ```
 */
export interface TextStreamWriter extends StreamWriter<string> {
  /** Description of the stream; with `confirm`, its receipts once it has ended. */
  readonly info: TextStreamInfo;
}

/**
 * A byte stream on its way out: what is written is sent within 10 ms. Left in an `await using` scope without `close`, it is aborted.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 *
 * const alice = await createRuntime({ transport: createHub().join("alice") });
 * const writer = await alice.streamBytes({ topic: "samples", totalSize: 4 });
 * const samples = new Uint8Array([1, 2]);
 * await writer.write(samples);
 * samples.fill(3); // once `write` has resolved, the array is yours again
 * await writer.write(samples);
 * await writer.close();
 * if (writer.progress.progress !== 100) throw new Error("Not all was sent");
 * await alice.close();
 * ```
 */
export interface ByteStreamWriter extends StreamWriter<Bytes> {
  /** Description of the stream; with `confirm`, its receipts once it has ended. */
  readonly info: ByteStreamInfo;
}

/** `Given` is what callers write, `T` what becomes of it at once. */
abstract class Writer<Given, T extends Given> implements StreamWriter<Given> {
  protected readonly stream: OutgoingStream;
  #writable: WritableStream<Given> | undefined;
  #written = 0;
  #last: Promise<void> = Promise.resolve();
  #pending = 0;

  constructor(stream: OutgoingStream) {
    this.stream = stream;
  }

  get progress(): ProgressTracker {
    return this.stream.tracker;
  }

  get actor(): AnyActorRef {
    return this.stream.actor;
  }

  get writable(): WritableStream<Given> {
    return this.#writable ??= new WritableStream<Given>({
      write: (data) => this.#writeOrAbort(data),
      close: () => this.close(),
      abort: (reason) => this.abort(reasonText(reason)),
    });
  }

  async write(given: Given): Promise<void> {
    const data = this.checked(given);
    this.#assertOpen("write to");
    if (this.#pending === 0) return await this.#track(this.#write(data));
    return await this.#track(this.#last.then(() => this.#write(data))); // writes that were not awaited keep their order
  }

  async close(options: CloseOptions = {}): Promise<void> {
    assertCloseOptions(options);
    assertEndWithinLimits(options, this.stream.context.limits);
    this.#assertOpen("close");
    this.stream.actor.send({ type: "close.requested" });
    await this.#last;
    if (this.stream.error !== undefined) throw this.stream.error;
    const rest = this.rest();
    if (rest !== undefined) await this.#track(this.#put(rest));
    this.flush();
    const { totalSize } = this.stream.spec;
    if (totalSize !== undefined && this.#written < totalSize) {
      this.#fail("incomplete", `Cannot close the stream as ${this.#written} of ${totalSize} bytes were written`);
    }
    this.stream.queue.end(options);
    await this.stream.settled;
  }

  async abort(reason?: string): Promise<void> {
    if (reason !== undefined) assertText(reason, "abort the stream with the reason");
    const { streamId } = this.stream;
    const message = `Cannot go on with the stream as it was aborted: stream id is "${streamId}"`;
    const error = new StreamError("aborted", message, { streamId, ...(reason === undefined ? {} : { reason }) });
    this.stream.actor.send({ type: "abort.requested", error });
    this.drop();
    await this.stream.settled.catch(() => {}); // that it failed is what was asked for
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { value } = this.stream.actor.getSnapshot();
    if (value === "open" || value === "writing") await this.abort();
    else await this.stream.settled.catch(() => {}); // told to whoever called close
  }

  /** Converts written data to what the stream takes. Throws "invalid-argument" for anything else. */
  protected abstract checked(given: Given): T;
  /** Splits off the part that can go out now; the rest stays until more comes. */
  protected abstract join(data: T): T;
  /** Returns the rest, as no more comes. */
  protected abstract rest(): T | undefined;
  /** Bytes it takes. */
  protected abstract measure(data: T): number | Promise<number>;
  protected abstract produce(data: T): Promise<void>;
  /** Puts in the line what was gathered. */
  protected abstract flush(): void;
  /** Gives back what was gathered. */
  protected abstract drop(): void;

  /** For the web stream, which calls nothing more once a write has failed. */
  async #writeOrAbort(data: Given): Promise<void> {
    try {
      await this.write(data);
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async #write(data: T): Promise<void> {
    if (this.stream.error !== undefined) throw this.stream.error;
    await this.#put(this.join(data));
  }

  async #put(data: T): Promise<void> {
    const { totalSize } = this.stream.spec;
    if (totalSize !== undefined) {
      this.#written += await this.measure(data);
      if (this.#written > totalSize) this.#fail("too-large", `Cannot write more than the ${totalSize} bytes announced`);
    }
    if (this.stream.actor.getSnapshot().value === "open") this.stream.actor.send({ type: "bytes.written" });
    try {
      await this.produce(data);
    } finally {
      if (this.stream.error !== undefined) this.drop();
    }
  }

  #fail(code: "too-large" | "incomplete", message: string): never {
    const { streamId } = this.stream;
    const error = new StreamError(code, `${message}: stream id is "${streamId}"`, { streamId });
    this.stream.actor.send({ type: "abort.requested", error });
    this.drop();
    throw this.stream.error ?? error;
  }

  /** Throws unless the stream's actor says that it can be written to. */
  #assertOpen(action: string): void {
    const { value } = this.stream.actor.getSnapshot();
    if (value === "open" || value === "writing") return;
    if (this.stream.error !== undefined) throw this.stream.error;
    const { streamId } = this.stream;
    throw new StreamError("closed", `Cannot ${action} the stream as it is closed: stream id is "${streamId}"`, { streamId });
  }

  #track(step: Promise<void>): Promise<void> {
    this.#pending++;
    this.#last = step.then(() => void this.#pending--, () => void this.#pending--);
    return step;
  }
}

export class TextWriter extends Writer<string, string> implements TextStreamWriter {
  readonly #joiner = new SurrogateJoiner();

  get info(): TextStreamInfo {
    return this.stream.spec.description.info as TextStreamInfo;
  }

  protected override checked(text: string): string {
    assertText(text, "write the text");
    return text;
  }

  protected override measure(data: string): number | Promise<number> {
    return data.length < 4096 ? utf8Bytes(data) : measureText(data);
  }

  protected override join(data: string): string {
    return this.#joiner.push(data);
  }

  protected override rest(): string | undefined {
    return this.#joiner.end() || undefined;
  }

  protected override async produce(text: string): Promise<void> {
    if (text !== "") await produceText(this.stream, text);
    else await this.stream.queue.whenWritable();
  }

  protected override flush(): void {}

  protected override drop(): void {}
}

export class ByteWriter extends Writer<Bytes, Uint8Array> implements ByteStreamWriter {
  readonly #producer: ByteProducer;

  constructor(stream: OutgoingStream) {
    super(stream);
    this.#producer = new ByteProducer(stream);
    stream.settled.catch(() => this.drop()); // what was gathered is dropped when the stream fails, not when the next call sees it
  }

  get info(): ByteStreamInfo {
    return this.stream.spec.description.info as ByteStreamInfo;
  }

  protected override checked(bytes: Bytes): Uint8Array {
    return givenBytes(bytes, "write the bytes");
  }

  protected override measure(data: Uint8Array): number {
    return data.length;
  }

  protected override join(data: Uint8Array): Uint8Array {
    return data;
  }

  protected override rest(): undefined {}

  protected override produce(data: Uint8Array): Promise<void> {
    return this.#producer.write(data);
  }

  protected override flush(): void {
    this.#producer.flush();
  }

  protected override drop(): void {
    this.#producer.drop();
  }
}
