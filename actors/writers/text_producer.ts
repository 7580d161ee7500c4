import { MAX_UTF8_BYTES_PER_UNIT, SEGMENT_BYTES, SEGMENT_HEADROOM, STREAM_CHUNK_SIZE } from "../../protocol/constants.ts";
import { cutBytes } from "../../protocol/wire/chunking.ts";
import { pieceEnd, SurrogateJoiner, textPieces, utf8Bytes } from "../../common/utf8.ts";
import { shouldYield, yieldToEventLoop } from "../../common/event_loop.ts";
import { platform } from "../../common/platform.ts";
import { NO_DIGEST } from "../../protocol/digest.ts";
import type { EncodedSegment } from "../../workers/codec.ts";
import type { Segment } from "../../workers/segments.ts";
import type { Producer } from "./producer.ts";
import type { OutgoingStream } from "../outgoing/stream.ts";

/** Longest text that takes no segment, in UTF-16 code units. */
const INLINE_UNITS = 10_000;

/** Code units measured, or encoded, per step, which takes some 50 µs. */
const STEP_UNITS = 64 * 1024;

/** Length below which a text is measured synchronously, in code units. */
const SHORT_UNITS = 4096;

const encoder = new TextEncoder();

/** Computes the UTF-8 length of a text, in time slices. */
export async function measureText(text: string): Promise<number> {
  let bytes = 0;
  for (const piece of textPieces(text, STEP_UNITS)) {
    bytes += utf8Bytes(piece);
    if (shouldYield()) await yieldToEventLoop();
  }
  return bytes;
}

/** Queues each written text at once. Half a surrogate pair waits for the other half. */
export class TextProducer implements Producer<string> {
  readonly #stream: OutgoingStream;
  readonly #count: (bytes: number) => void;
  readonly #joiner = new SurrogateJoiner();

  /** `count` is called with bytes before they are queued, and throws if they are too many. */
  constructor(stream: OutgoingStream, count: (bytes: number) => void) {
    this.#stream = stream;
    this.#count = count;
  }

  async write(data: string): Promise<void> {
    await this.#put(this.#joiner.push(data));
  }

  async flush(): Promise<void> {
    const rest = this.#joiner.end();
    if (rest !== "") await this.#put(rest);
  }

  drop(): void {}

  async #put(text: string): Promise<void> {
    if (this.#stream.spec.totalSize !== undefined) {
      this.#count(text.length < SHORT_UNITS ? utf8Bytes(text) : await measureText(text));
    }
    if (text === "") await this.#stream.queue.whenWritable();
    else await produceText(this.#stream, text);
  }
}

/**
 * Queues a text for sending, segment by segment as there is room. The text is encoded here, straight into the segment: a message to a worker
 * with as much text costs this thread two to three times as much. Never splits a surrogate pair. `size` is the text's in bytes, if known.
 */
export async function produceText(stream: OutgoingStream, text: string, size: number = Infinity): Promise<void> {
  const { framed, spec, context: { codec } } = stream;
  const most = framed ? spec.frameBytes : SEGMENT_BYTES;
  let left = size;
  for (let at = 0; at < text.length;) {
    if (at > 0 && shouldYield()) await yieldToEventLoop(); // never after the last piece: short texts keep their order
    await stream.queue.whenWritable();
    if (!framed && text.length - at <= INLINE_UNITS) return pushSmall(stream, text.slice(at));
    const room = Math.min(most, MAX_UTF8_BYTES_PER_UNIT * (text.length - at), left);
    const segment = codec.segments.acquire(SEGMENT_HEADROOM + room);
    let filled = 0;
    for (let isFull = false; !isFull && at < text.length;) {
      if (filled > 0 && shouldYield()) await yieldToEventLoop();
      const piece = text.slice(at, pieceEnd(text, at, STEP_UNITS));
      const free = segment.bytes.subarray(SEGMENT_HEADROOM + filled, SEGMENT_HEADROOM + room);
      const { read, written } = platform().encodeUtf8(piece, free);
      isFull = read < piece.length;
      at += read;
      filled += written;
    }
    left -= filled;
    pushSegment(stream, segment, filled);
  }
}

function pushSmall(stream: OutgoingStream, text: string): void {
  const memory = encoder.encode(text);
  const ends = cutBytes(memory, 0, memory.length, stream.context.chunkSize, true);
  const encoded: EncodedSegment = { bytes: memory.length, digest: NO_DIGEST, ends };
  stream.queue.push({ memory, start: 0, encoded, weight: memory.length });
}

function pushSegment(stream: OutgoingStream, segment: Segment, bytes: number): void {
  const { codec, chunkSize } = stream.context;
  const start = SEGMENT_HEADROOM;
  const end = start + bytes;
  const queued = { memory: segment.bytes, segment, start, weight: bytes };
  if (!stream.framed) {
    const ends = cutBytes(segment.bytes, start, end, chunkSize, true);
    return stream.queue.push({ ...queued, encoded: { bytes, digest: NO_DIGEST, ends } });
  }
  const encoded = codec.slice({ segment, start, end }, stream.compressionOptions);
  encoded.catch(() => {}); // the pump rethrows it at this segment
  stream.queue.push({ ...queued, encoded });
}

/** Whether a text certainly fits in one chunk. */
export function isShort(text: string): boolean {
  return text.length * MAX_UTF8_BYTES_PER_UNIT <= STREAM_CHUNK_SIZE;
}
