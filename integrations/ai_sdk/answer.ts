// An answer: the chunks that a handler gives, kept for readers that come later, within bounds.
import { StreamError } from "../../errors.ts";
import { unlessAborted } from "../../common/abort.ts";
import { Notifier } from "../../common/promises.ts";
import { isAsyncIterable, isReadableStream } from "../../common/realms.ts";
import { isRecord } from "../../common/shapes.ts";
import { show } from "../../protocol/options.ts";
import { dismissSource, endSource, iterate } from "../../actors/writers/sources.ts";

/** Chunks of an answer: what `toUIMessageStream()` of the AI SDK gives. */
export type ChatChunks = ReadableStream<object> | AsyncIterable<object>;

/** Bytes that may wait for the fastest reader; then the handler's stream waits. */
const AHEAD_BYTES = 262_144;

/** Bounds of an answer without a reader. */
export interface AnswerLimits {
  /** Most bytes of chunks that are kept. */
  readonly keptBytes: number;
  /** Time for a reader to come, in ms. */
  readonly readerMs: number;
}

/** A chunk with its size, in bytes of JSON, about. */
interface Kept {
  readonly chunk: object;
  readonly bytes: number;
}

/** A reader's position. */
interface Cursor {
  /** Number of the next chunk. */
  at: number;
  /** Bytes of the chunks before it. */
  bytes: number;
}

/** The answer to one message of a chat. */
export class Answer {
  readonly id: string;
  readonly #limits: AnswerLimits;
  readonly #forget: () => void;
  readonly #stop = new AbortController();
  readonly #changed = new Notifier();
  readonly #cursors = new Set<Cursor>();
  readonly #kept: Kept[] = [];
  /** Number of the first kept chunk: 0, unless the kept ones were too many. */
  #first = 0;
  #keptBytes = 0;
  #bytes = 0;
  #isWhole = false;
  /** True when no reader may come any more. */
  #isOver = false;
  #waiting: ReturnType<typeof setTimeout> | undefined;

  /** `forget` is called when no reader may come any more. */
  constructor(id: string, limits: AnswerLimits, forget: () => void) {
    this.id = id;
    this.#limits = limits;
    this.#forget = forget;
  }

  /** Aborts when the answer is not wanted any more. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether a reader gets all chunks, from the first. */
  get isComplete(): boolean {
    return this.#first === 0 && !this.signal.aborted;
  }

  /** Stops the answer. Its readers end. */
  stop(reason: StreamError): void {
    if (this.signal.aborted || this.#isWhole) return;
    this.#stop.abort(reason);
    this.#changed.notify();
  }

  /**
   * Takes the chunks of a handler's stream as fast as they are read. Resolves when it has ended; rejects if it fails, after the readers got
   * a last chunk `failure(error)`. When the answer is stopped, the stream is ended.
   */
  async fill(open: () => ChatChunks | PromiseLike<ChatChunks>, failure: (error: unknown) => object): Promise<void> {
    try {
      if (!this.signal.aborted) await this.#takeAll(open);
    } catch (error) {
      if (this.signal.aborted) return; // the handler was told so
      this.#add(failure(error));
      throw error;
    } finally {
      if (this.signal.aborted) this.#add({ type: "abort" });
      this.#isWhole = true;
      this.#changed.notify();
      if (this.#cursors.size === 0 && this.signal.aborted) this.end();
    }
  }

  /** Reads all chunks, those that come too. Ends when the signal aborts. */
  async *read(signal: AbortSignal): AsyncGenerator<object, void, undefined> {
    const cursor: Cursor = { at: this.#first, bytes: this.#bytes - this.#keptBytes };
    this.#cursors.add(cursor);
    clearTimeout(this.#waiting);
    try {
      while (!signal.aborted) {
        const kept = this.#kept[cursor.at - this.#first];
        if (kept !== undefined) {
          yield kept.chunk;
          cursor.at++;
          cursor.bytes += kept.bytes;
          this.#trim();
          this.#changed.notify();
        } else if (this.#isWhole) return;
        else await unlessAborted(this.#changed.wait(), [signal]);
      }
    } finally {
      this.#cursors.delete(cursor);
      this.#changed.notify();
      if (this.#cursors.size === 0) this.#awaitReader();
    }
  }

  /** Ends the wait for readers: one has got all chunks, or none may come any more. */
  end(): void {
    this.#isOver = true;
    clearTimeout(this.#waiting);
    this.#forget();
  }

  async #takeAll(open: () => ChatChunks | PromiseLike<ChatChunks>): Promise<void> {
    const opening = Promise.resolve(open());
    const source = await unlessAborted(opening, [this.signal]);
    if (this.signal.aborted) return void opening.then(dismissSource, () => {});
    const chunks = iterate<unknown>(assertChunks(source), "answer");
    try {
      for (;;) {
        const next = await unlessAborted(chunks.next(), [this.signal]);
        if (next === undefined || next.done === true) return;
        this.#add(next.value);
        while (this.#isAhead() && !this.signal.aborted) await this.#changed.wait();
      }
    } finally {
      endSource(chunks);
    }
  }

  #add(chunk: unknown): void {
    const json = isRecord(chunk) ? JSON.stringify(chunk) : undefined;
    if (json === undefined) throw new TypeError(`Cannot answer as a chunk must be an object of JSON: got ${show(chunk)}`);
    this.#kept.push({ chunk: chunk as object, bytes: json.length });
    this.#keptBytes += json.length;
    this.#bytes += json.length;
    this.#trim();
    this.#changed.notify();
  }

  /** Whether the handler's stream must wait: for the fastest reader, or for want of one. */
  #isAhead(): boolean {
    if (this.#cursors.size === 0) return this.#keptBytes >= this.#limits.keptBytes;
    return this.#bytes - Math.max(...Array.from(this.#cursors, ({ bytes }) => bytes)) > AHEAD_BYTES;
  }

  /** Drops chunks that all readers have, if too many are kept. A later reader would lack them. */
  #trim(): void {
    if (this.#cursors.size === 0 || this.#keptBytes <= this.#limits.keptBytes) return;
    const slowest = Math.min(...Array.from(this.#cursors, ({ at }) => at));
    while (this.#keptBytes > this.#limits.keptBytes && this.#first < slowest) {
      this.#keptBytes -= this.#kept.shift()?.bytes ?? 0;
      this.#first++;
    }
  }

  /** Waits for the next reader, if one may come. */
  #awaitReader(): void {
    if (this.#isOver) return;
    const late = (): void => {
      this.stop(new StreamError("timeout", `Cannot go on with the answer as nobody read it for ${this.#limits.readerMs} ms`));
      this.end();
    };
    if (!this.isComplete) return late();
    this.#waiting = setTimeout(late, this.#limits.readerMs);
    (this.#waiting as { unref?: () => void }).unref?.(); // a program may end meanwhile
  }
}

function assertChunks(source: unknown): ChatChunks {
  if (isReadableStream(source) || isAsyncIterable(source)) return source as ChatChunks;
  throw new TypeError(`Cannot answer as the handler must give a ReadableStream or AsyncIterable of chunks: got ${show(source)}`);
}
