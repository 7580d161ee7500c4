import { MAX_UTF8_BYTES_PER_UNIT, SEGMENT_BYTES, SEGMENT_HEADROOM, STREAM_CHUNK_SIZE } from "../../protocol/constants.ts";
import { cutBytes } from "../../protocol/wire/chunking.ts";
import { fittingPieces, type MeasuredPiece, SurrogateJoiner, textPieces, utf8Bytes } from "../../common/utf8.ts";
import { shouldYield, yieldToEventLoop } from "../../common/event_loop.ts";
import { NO_DIGEST } from "../../protocol/digest.ts";
import type { EncodedSegment } from "../../workers/codec.ts";
import type { Producer } from "./producer.ts";
import type { OutgoingStream } from "../outgoing/stream.ts";

/** Longest text encoded on this thread, in UTF-16 code units. A message to a worker would take longer. */
const INLINE_UNITS = 10_000;

/** Code units measured per step, which takes well under 1 ms. */
const MEASURED_UNITS = 64 * 1024;

/** Length below which a text is measured synchronously, in code units. */
const SHORT_UNITS = 4096;

const encoder = new TextEncoder();

/** Computes the UTF-8 length of a text, in time slices. */
export async function measureText(text: string): Promise<number> {
  let bytes = 0;
  for (const piece of textPieces(text, MEASURED_UNITS)) {
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

/** Queues a text for sending, piece by piece as there is room. Never splits a surrogate pair. */
export async function produceText(stream: OutgoingStream, text: string): Promise<void> {
  const { framed } = stream;
  const { frameBytes, totalSize = MAX_UTF8_BYTES_PER_UNIT * text.length } = stream.spec;
  const most = framed ? frameBytes : SEGMENT_BYTES;
  const average = framed ? totalSize / text.length : MAX_UTF8_BYTES_PER_UNIT; // of a part of a text, its stream's total says nothing
  let isFirst = true;
  for (const piece of fittingPieces(text, most, average)) {
    if (!isFirst && shouldYield()) await yieldToEventLoop(); // never after the last piece: short texts keep their order
    isFirst = false;
    await stream.queue.whenWritable();
    if (!framed && piece.text.length <= INLINE_UNITS) pushSmall(stream, piece);
    else pushEncoded(stream, piece);
  }
}

function pushSmall(stream: OutgoingStream, { text }: MeasuredPiece): void {
  const memory = encoder.encode(text);
  const ends = cutBytes(memory, 0, memory.length, stream.context.chunkSize, true);
  const encoded: EncodedSegment = { bytes: memory.length, digest: NO_DIGEST, ends };
  stream.queue.push({ memory, start: 0, encoded, weight: memory.length, release: () => {} });
}

function pushEncoded(stream: OutgoingStream, { text, bytes }: MeasuredPiece): void {
  const { codec, chunkSize } = stream.context;
  const segment = codec.segments.acquire(SEGMENT_HEADROOM + bytes);
  const into = { segment, start: SEGMENT_HEADROOM };
  const encoded = codec.encodeText(text, into, stream.framed ? stream.compressionOptions : { chunkSize, utf8: true });
  encoded.catch(() => {}); // the pump rethrows it at this segment
  stream.queue.push({
    memory: segment.bytes,
    segment,
    start: SEGMENT_HEADROOM,
    encoded,
    weight: bytes,
    release: () => segment.release(),
  });
}

/** Whether a text certainly fits in one chunk. */
export function isShort(text: string): boolean {
  return text.length * MAX_UTF8_BYTES_PER_UNIT <= STREAM_CHUNK_SIZE;
}
