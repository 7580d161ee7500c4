import type { AnyActorRef } from "xstate";
import { StreamError } from "../../errors.ts";
import { assertEndWithinLimits } from "../../protocol/wire/header_limits.ts";
import type { ByteStreamInfo, TextStreamInfo } from "../../protocol/info.ts";
import { assertCloseOptions, assertText, type CloseOptions, givenBytes } from "../../protocol/options.ts";
import type { ProgressTracker } from "../../protocol/progress.ts";
import type { Bytes } from "../../common/realms.ts";
import { ByteProducer } from "./byte_producer.ts";
import type { OutgoingStream } from "../outgoing/stream.ts";
import { reasonText, SOURCE_FAILED } from "../common/callbacks.ts";
import type { Producer } from "./producer.ts";
import { TextProducer } from "./text_producer.ts";

/** Writer of text or bytes. */
export interface StreamWriter<T> extends AsyncDisposable {
  /** Bytes handed to the transport. */
  readonly progress: ProgressTracker;
  /** Web stream of the writer. Closing or aborting the web stream closes or aborts the stream. */
  readonly writable: WritableStream<T>;
  /** Actor of the stream. Its `getSnapshot().value` is "open", "writing", "closing", "closed" or "failed". */
  readonly actor: AnyActorRef;
  /**
   * Writes data. Resolves when there is room for more, so that awaiting bounds memory; then the data may be changed. Rejects with a
   * StreamError: "invalid-argument"; "too-large" over `totalSize`; "closed" after `close`; else the stream's error.
   */
  write(data: T): Promise<void>;
  /**
   * Ends the stream; resolves when all was handed to the transport and, with `confirm`, receipts came. Rejects with "incomplete" under
   * `totalSize`, "closed" the second time, or the stream's error.
   */
  close(options?: CloseOptions): Promise<void>;
  /** Fails the stream at all ends. No effect after the end. */
  abort(reason?: string): Promise<void>;
}

/**
 * Writer of an outgoing text stream, which sends each text at once. Leaving an `await using` scope without `close` aborts the stream.
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
 * Writer of an outgoing byte stream, which sends bytes within 10 ms. Leaving an `await using` scope without `close` aborts the stream.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 *
 * const alice = await createRuntime({ transport: createHub().join("alice") });
 * const writer = await alice.streamBytes({ topic: "samples", totalSize: 4 });
 * const samples = new Uint8Array([1, 2]);
 * await writer.write(samples);
 * samples.fill(3); // allowed once `write` has resolved
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

/** Creates the writer of a text stream. */
export function createTextWriter(stream: OutgoingStream): TextStreamWriter {
  return new Writer(
    stream,
    stream.spec.description.info as TextStreamInfo,
    checkedText,
    (count) => new TextProducer(stream, count),
  );
}

/** Creates the writer of a byte stream. */
export function createByteWriter(stream: OutgoingStream): ByteStreamWriter {
  return new Writer(
    stream,
    stream.spec.description.info as ByteStreamInfo,
    checkedBytes,
    (count) => new ByteProducer(stream, count),
  );
}

/** Settles as the stream of a writer does. */
export function settledOf(writer: StreamWriter<never>): Promise<void> {
  return (writer as Partial<Settling>).settled ?? Promise.resolve();
}

/** A writer whose end can be awaited within the library. */
export interface Settling {
  /** Resolves when the stream has closed; rejects with its error. */
  readonly settled: Promise<void>;
}

function checkedText(text: string): string {
  assertText(text, "write the text");
  return text;
}

function checkedBytes(bytes: Bytes): Uint8Array {
  return givenBytes(bytes, "write the bytes");
}

/** Writer that converts its callers' `Given` to its producer's `Data`. */
class Writer<Given, Data, Info> implements StreamWriter<Given>, Settling {
  readonly info: Info;
  readonly #stream: OutgoingStream;
  readonly #check: (given: Given) => Data;
  readonly #producer: Producer<Data>;
  #writable: WritableStream<Given> | undefined;
  #written = 0;
  /** Last write or flush that has begun. */
  #last: Promise<void> = Promise.resolve();
  #pending = 0;

  /** `check` converts written data, or throws "invalid-argument". `produce` makes the producer, which counts bytes. */
  constructor(
    stream: OutgoingStream,
    info: Info,
    check: (given: Given) => Data,
    produce: (count: (bytes: number) => void) => Producer<Data>,
  ) {
    this.#stream = stream;
    this.info = info;
    this.#check = check;
    this.#producer = produce((bytes) => this.#count(bytes));
    stream.settled.catch(() => this.#producer.drop()); // frees memory as soon as the stream fails
  }

  get progress(): ProgressTracker {
    return this.#stream.tracker;
  }

  get actor(): AnyActorRef {
    return this.#stream.actor.ref;
  }

  get settled(): Promise<void> {
    return this.#stream.settled;
  }

  get writable(): WritableStream<Given> {
    return this.#writable ??= new WritableStream<Given>({
      write: (data) => this.#writeOrAbort(data),
      close: () => this.close(),
      abort: (reason) => this.abort(reasonText(reason, SOURCE_FAILED)),
    });
  }

  async write(given: Given): Promise<void> {
    const data = this.#check(given);
    this.#assertOpen("write to");
    if (this.#pending === 0) return await this.#track(this.#write(data));
    return await this.#track(this.#last.then(() => this.#write(data))); // keeps the order of writes that were not awaited
  }

  async close(options: CloseOptions = {}): Promise<void> {
    assertCloseOptions(options);
    assertEndWithinLimits(options, this.#stream.context.limits);
    this.#assertOpen("close");
    this.#stream.actor.send({ type: "close.requested" });
    await this.#last;
    if (this.#stream.error !== undefined) throw this.#stream.error;
    await this.#track(Promise.resolve(this.#producer.flush()));
    const { totalSize } = this.#stream.spec;
    if (totalSize !== undefined && this.#written < totalSize) {
      this.#fail("incomplete", `Cannot close the stream as ${this.#written} of ${totalSize} bytes were written`);
    }
    this.#stream.queue.end(options);
    await this.#stream.settled;
  }

  async abort(reason?: string): Promise<void> {
    if (reason !== undefined) assertText(reason, "abort the stream with the reason");
    const { streamId } = this.#stream;
    const message = `Cannot go on with the stream as it was aborted: stream id is "${streamId}"`;
    const error = new StreamError("aborted", message, { streamId, ...(reason === undefined ? {} : { reason }) });
    this.#stream.actor.send({ type: "abort.requested", error });
    this.#producer.drop();
    await this.#stream.settled.catch(() => {}); // the failure was requested
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { value } = this.#stream.actor;
    if (value === "open" || value === "writing") await this.abort();
    else await this.#stream.settled.catch(() => {}); // the error was reported to the caller of `close`
  }

  /** Writes for the web stream. A failed write aborts the stream, as the web stream makes no further call. */
  async #writeOrAbort(data: Given): Promise<void> {
    try {
      await this.write(data);
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async #write(data: Data): Promise<void> {
    const { actor, error } = this.#stream;
    if (error !== undefined) throw error;
    if (actor.value === "open") actor.send({ type: "bytes.written" });
    try {
      await this.#producer.write(data);
    } finally {
      if (this.#stream.error !== undefined) this.#producer.drop();
    }
  }

  /** Counts bytes before they are queued. Throws if they exceed the announced size. */
  #count(bytes: number): void {
    const { totalSize = Infinity } = this.#stream.spec;
    this.#written += bytes;
    if (this.#written > totalSize) this.#fail("too-large", `Cannot write more than the ${totalSize} bytes announced`);
  }

  #fail(code: "too-large" | "incomplete", message: string): never {
    const { streamId } = this.#stream;
    const error = new StreamError(code, `${message}: stream id is "${streamId}"`, { streamId });
    this.#stream.actor.send({ type: "abort.requested", error });
    this.#producer.drop();
    throw this.#stream.error ?? error;
  }

  /** Throws unless the stream's actor is in state "open" or "writing". */
  #assertOpen(action: string): void {
    const { value } = this.#stream.actor;
    if (value === "open" || value === "writing") return;
    if (this.#stream.error !== undefined) throw this.#stream.error;
    const { streamId } = this.#stream;
    throw new StreamError("closed", `Cannot ${action} the stream as it is closed: stream id is "${streamId}"`, { streamId });
  }

  #track(step: Promise<void>): Promise<void> {
    this.#pending++;
    this.#last = step.then(() => void this.#pending--, () => void this.#pending--);
    return step;
  }
}
