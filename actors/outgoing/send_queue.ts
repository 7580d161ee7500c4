import type { StreamError } from "../../errors.ts";
import { SEGMENT_BYTES } from "../../protocol/constants.ts";
import type { CloseOptions } from "../../protocol/options.ts";
import { Notifier } from "../../common/promises.ts";
import type { EncodedSegment } from "../../workers/codec.ts";
import type { Segment } from "../../workers/segments.ts";

/** A segment in a send queue. */
export interface QueuedSegment {
  /** Memory with the payload from `start` on, and room for a frame header before `start`. */
  readonly memory: Uint8Array;
  readonly start: number;
  /** Segment of the memory, if threads share it: released when the queue is done with it. */
  readonly segment?: Segment;
  /** Result of the codec, or the promise of it. */
  readonly encoded: EncodedSegment | Promise<EncodedSegment>;
  /** Bytes that the segment adds to the queue's size. */
  readonly weight: number;
}

/** Largest size of the queue, in bytes: workers encode one half while the other half is sent. */
const QUEUE_BYTES = 8 * SEGMENT_BYTES;

/** Bounded queue between the writer of a stream and its pump. The stream's actor decides whether the stream can be written to. */
export class SendQueue {
  readonly #segments: QueuedSegment[] = [];
  readonly #mayQueueOne: () => boolean;
  #waiting = 0;
  #end: CloseOptions | undefined;
  #error: StreamError | undefined;
  readonly #arrivals = new Notifier();
  readonly #departures = new Notifier();

  /** `mayQueueOne` returns true while the stream may queue only one segment. */
  constructor(mayQueueOne: () => boolean) {
    this.#mayQueueOne = mayQueueOne;
  }

  /** Whether the queue is more than half full. */
  get isHalfFull(): boolean {
    return this.#waiting > QUEUE_BYTES / 2;
  }

  /** Bytes in the queue. */
  get bytes(): number {
    return this.#waiting;
  }

  /** Options of `close`, once it was called. */
  get closeOptions(): CloseOptions | undefined {
    return this.#end;
  }

  get #full(): boolean {
    return this.#waiting >= QUEUE_BYTES || (this.#waiting > 0 && this.#mayQueueOne());
  }

  /** Resolves when there is room for a segment; rejects with the queue's error once it has failed. */
  async whenWritable(): Promise<void> {
    while (this.#error === undefined && this.#full) {
      await this.#departures.wait();
    }
    if (this.#error !== undefined) throw this.#error;
  }

  push(queued: QueuedSegment): void {
    if (this.#error !== undefined || this.#end !== undefined) return abandon(queued);
    this.#segments.push(queued);
    this.#waiting += queued.weight;
    this.#arrivals.notify();
  }

  /** Ends the queue behind its last segment. */
  end(end: CloseOptions): void {
    this.#end ??= end;
    this.#arrivals.notify();
  }

  /** The next segment; undefined at the end. */
  async shift(): Promise<QueuedSegment | undefined> {
    while (this.#segments.length === 0 && this.#end === undefined && this.#error === undefined) {
      await this.#arrivals.wait();
    }
    if (this.#error !== undefined) throw this.#error;
    return this.#segments.shift();
  }

  /** Releases a sent segment. */
  release(queued: QueuedSegment): void {
    queued.segment?.release();
    this.#waiting -= queued.weight;
    if (!this.#full) this.#departures.notify();
  }

  /** Ends the queue with an error: writers get the error, waiting segments are dropped. */
  fail(error: StreamError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    for (const queued of this.#segments.splice(0)) abandon(queued);
    this.#departures.notify();
    this.#arrivals.notify();
  }
}

/** Drops a segment, and ignores a failure of its codec job. */
function abandon(queued: QueuedSegment): void {
  if (queued.encoded instanceof Promise) queued.encoded.catch(() => {});
  queued.segment?.release();
}
