import type { AnyActorRef } from "xstate";
import { inBrackets, StreamError } from "../../errors.ts";
import { onAbort } from "../../common/abort.ts";
import { assertText } from "../../protocol/options.ts";
import type { ProgressTracker } from "../../protocol/progress.ts";
import type { ReceivedBlock } from "../incoming/block_queue.ts";
import type { IncomingStream } from "../incoming/stream.ts";
import type { Trailer } from "../incoming/trailer.ts";
import { DecodePipeline } from "./decode_pipeline.ts";
import type { StreamReader } from "./reader.ts";

/** Base of the text and byte readers: single consumer, iteration, cancellation. */
export abstract class BaseReader<T> implements StreamReader<T> {
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
    return this.stream.actor.ref;
  }

  get readable(): ReadableStream<T> {
    return this.#readable ??= this.openReadable();
  }

  /** Claims the stream, and opens its web stream. */
  protected abstract openReadable(): ReadableStream<T>;

  // deno-lint-ignore require-await -- rejects, rather than throws, on an invalid reason
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
      // Called when a loop ends early. A generator's own `return` would not cancel before the first value, nor during a wait.
      return: async () => {
        await this.cancel();
        return await values.return();
      },
    };
  }

  /** Yields the values in order; closes the stream at the end. */
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

  /** The results of work on each block, in order; then `end`, if given, when all content has come and the stream is still open. */
  protected async *results<R>(
    work: (block: ReceivedBlock, offset: number) => R | Promise<R>,
    end?: R,
  ): AsyncGenerator<R, void, undefined> {
    const pipeline = new DecodePipeline(this.stream, work);
    try {
      for (let next = await pipeline.next(); next !== undefined; next = await pipeline.next()) yield next.result;
      if (end !== undefined) yield end;
      this.stream.actor.send({ type: "stream.consumed" });
    } catch (error) {
      throw this.failed(error);
    } finally {
      await pipeline.abandon();
    }
  }

  /** Error for the consumer: the stream's own; else the stream fails with the consumer's. */
  protected failed(error: unknown): StreamError {
    const { stream } = this;
    if (stream.error !== undefined) return stream.error;
    const failure = error instanceof StreamError ? error : stream.failure("corrupt", "it could not be read");
    this.cancelWith(failure);
    return stream.error ?? failure;
  }

  /** Claims the stream and runs a consumer, which a signal can abort. */
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

  /** Throws "too-large" above `limits.readAllBytes`. */
  protected assertGatherable(bytes: number): void {
    const { readAllBytes } = this.stream.context.limits;
    if (bytes <= readAllBytes) return;
    const error = this.stream.failure("too-large", `readAll gathers ${readAllBytes} bytes at most`);
    this.cancelWith(error);
    throw error;
  }
}
