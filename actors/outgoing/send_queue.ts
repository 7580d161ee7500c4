import type { StreamError } from "../../errors.ts";
import { SEGMENT_BYTES } from "../../protocol/constants.ts";
import type { CloseOptions } from "../../protocol/options.ts";
import type { EncodedSegment } from "../../workers/codec.ts";

/** A run of a stream's bytes on its way out. */
export interface QueuedSegment {
  /** Memory that holds the payload from `start` on, and before it room for a frame's header. */
  readonly memory: Uint8Array;
  readonly start: number;
  /** Result of the codec, which may still be at work. */
  readonly encoded: EncodedSegment | Promise<EncodedSegment>;
  /** Bytes it counts as while it waits. */
  readonly weight: number;
  /** Gives the memory back. */
  release(): void;
}

/** Bytes that wait in a queue: what workers have at hand while as much is sent. */
const QUEUE_BYTES = 8 * SEGMENT_BYTES;

/**
 * The bounded queue between who writes a stream and the pump that sends it. The one place that knows whether a stream can still be
 * written to is its actor; the queue only ever ends.
 */
export class SendQueue {
  readonly #segments: QueuedSegment[] = [];
  readonly #memoryLow: () => boolean;
  #waiting = 0;
  #end: CloseOptions | undefined;
  #error: StreamError | undefined;
  #wakePump: (() => void) | undefined;
  #wakeWriters: (() => void)[] = [];

  /** `memoryLow`: memory is short, so that each stream makes do with one segment. */
  constructor(memoryLow: () => boolean) {
    this.#memoryLow = memoryLow;
  }

  /** Whether what waits is more than half of what may. */
  get isHalfFull(): boolean {
    return this.#waiting > QUEUE_BYTES / 2;
  }

  /** Options of `close`, once it was called. */
  get closeOptions(): CloseOptions | undefined {
    return this.#end;
  }

  get #full(): boolean {
    return this.#waiting >= QUEUE_BYTES || (this.#waiting > 0 && this.#memoryLow());
  }

  /** Resolves when there is room for a segment; rejects when the queue has failed. */
  async whenWritable(): Promise<void> {
    while (this.#error === undefined && this.#full) {
      await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
    }
    if (this.#error !== undefined) throw this.#error;
  }

  push(queued: QueuedSegment): void {
    if (this.#error !== undefined || this.#end !== undefined) return abandon(queued);
    this.#segments.push(queued);
    this.#waiting += queued.weight;
    this.#wakePump?.();
  }

  /** Nothing comes after what was pushed. */
  end(end: CloseOptions): void {
    this.#end ??= end;
    this.#wakePump?.();
  }

  /** The next segment; undefined at the end. */
  async shift(): Promise<QueuedSegment | undefined> {
    while (this.#segments.length === 0 && this.#end === undefined && this.#error === undefined) {
      await new Promise<void>((resolve) => {
        this.#wakePump = resolve;
      });
      this.#wakePump = undefined;
    }
    if (this.#error !== undefined) throw this.#error;
    return this.#segments.shift();
  }

  /** A segment was sent. */
  release(queued: QueuedSegment): void {
    queued.release();
    this.#waiting -= queued.weight;
    if (!this.#full) this.#wake();
  }

  /** The stream ended early: who writes to it learns why, what waits is dropped. */
  fail(error: StreamError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    for (const queued of this.#segments.splice(0)) abandon(queued);
    this.#wake();
    this.#wakePump?.();
  }

  #wake(): void {
    const writers = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of writers) wake();
  }
}

/** Drops a segment; if the codec is still at it, its failure is nobody's concern any more. */
function abandon(queued: QueuedSegment): void {
  if (queued.encoded instanceof Promise) queued.encoded.catch(() => {});
  queued.release();
}
