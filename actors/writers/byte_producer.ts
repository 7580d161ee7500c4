import { SEGMENT_BYTES, SEGMENT_HEADROOM, SMALL_SEGMENT_CAPACITY } from "../../protocol/constants.ts";
import { cutBytes } from "../../protocol/wire/chunking.ts";
import { shouldYield, yieldToEventLoop } from "../../common/event_loop.ts";
import { NO_DIGEST } from "../../protocol/digest.ts";
import type { EncodedSegment } from "../../workers/codec.ts";
import { Deadline } from "../common/deadlines.ts";
import type { Segment } from "../../workers/segments.ts";
import type { Producer } from "./producer.ts";
import type { OutgoingStream } from "../outgoing/stream.ts";

/** Longest time that a written byte waits for further writes, in ms. */
const FLUSH_MS = 10;

const SMALL_BYTES = SMALL_SEGMENT_CAPACITY - SEGMENT_HEADROOM;

/** Gathers written bytes in segments. A segment is queued when full, or FLUSH_MS after its first write. */
export class ByteProducer implements Producer<Uint8Array> {
  readonly #stream: OutgoingStream;
  readonly #count: (bytes: number) => void;
  readonly #capacity: number;
  #segment: Segment | undefined;
  #filled = 0;
  #queued = 0;
  readonly #flushing = new Deadline(() => this.#queueSegment());

  /** `count` is called with bytes before they are queued, and throws if they are too many. */
  constructor(stream: OutgoingStream, count: (bytes: number) => void) {
    this.#stream = stream;
    this.#count = count;
    this.#capacity = stream.framed ? stream.spec.frameBytes : SEGMENT_BYTES;
  }

  /** Copies the bytes; resolves when there is room for more. */
  async write(data: Uint8Array): Promise<void> {
    this.#count(data.length);
    let at = 0;
    while (at < data.length) {
      if (at > 0 && shouldYield()) await yieldToEventLoop(); // never after the last bytes: short streams keep their order
      if (this.#filled === 0) await this.#stream.queue.whenWritable();
      if (this.#stream.error !== undefined) throw this.#stream.error;
      const length = Math.min(data.length - at, this.#capacity - this.#filled);
      const segment = this.#roomFor(this.#filled + length);
      segment.bytes.set(data.subarray(at, at + length), SEGMENT_HEADROOM + this.#filled);
      this.#filled += length;
      at += length;
      if (this.#filled === this.#capacity) this.#queueSegment();
    }
    if (this.#filled === 0) return;
    if (this.#stream.spec.urgent) this.#queueSegment();
    else if (this.#flushing.at === Infinity) this.#stream.context.deadlines.set(this.#flushing, FLUSH_MS);
  }

  flush(): void {
    this.#queueSegment();
  }

  drop(): void {
    this.#stream.context.deadlines.clear(this.#flushing);
    this.#segment?.release();
    this.#segment = undefined;
    this.#filled = 0;
  }

  #queueSegment(): void {
    this.#stream.context.deadlines.clear(this.#flushing);
    const segment = this.#segment;
    const bytes = this.#filled;
    if (segment === undefined) return;
    this.#segment = undefined;
    this.#filled = 0;
    this.#queued += bytes;
    const start = SEGMENT_HEADROOM;
    this.#stream.queue.push({
      memory: segment.bytes,
      segment,
      start,
      encoded: this.#slice(segment, start, bytes),
      weight: bytes,
    });
  }

  /** The present segment, replaced by one for all that may come when a small one is full. */
  #roomFor(bytes: number): Segment {
    const old = this.#segment;
    if (old !== undefined && bytes <= old.bytes.length - SEGMENT_HEADROOM) return old;
    const { totalSize = Infinity } = this.#stream.spec;
    const most = Math.max(bytes, Math.min(SEGMENT_BYTES, totalSize - this.#queued));
    const capacity = bytes <= SMALL_BYTES ? SMALL_SEGMENT_CAPACITY : SEGMENT_HEADROOM + most;
    const segment = this.#stream.context.codec.segments.acquire(capacity);
    if (old !== undefined) {
      segment.bytes.set(old.bytes.subarray(0, SEGMENT_HEADROOM + this.#filled));
      old.release();
    }
    this.#segment = segment;
    return segment;
  }

  #slice(segment: Segment, start: number, bytes: number): EncodedSegment | Promise<EncodedSegment> {
    const { codec, chunkSize } = this.#stream.context;
    const end = start + bytes;
    // The pump computes the digest of a plain stream, as it covers the bytes in order.
    if (!this.#stream.framed) return { bytes, digest: NO_DIGEST, ends: cutBytes(segment.bytes, start, end, chunkSize, false) };
    const encoded = codec.slice({ segment, start, end }, this.#stream.compressionOptions);
    encoded.catch(() => {}); // the pump rethrows it at this segment
    return encoded;
  }
}
