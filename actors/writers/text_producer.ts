import { MAX_UTF8_BYTES_PER_UNIT, SEGMENT_BYTES, SEGMENT_HEADROOM, STREAM_CHUNK_SIZE } from "../../protocol/constants.ts";
import { cutBytes } from "../../protocol/wire/chunking.ts";
import { fittingPieces, type MeasuredPiece, SurrogateJoiner, textPieces, utf8Bytes } from "../../common/utf8.ts";
import { shouldYield, yieldToEventLoop } from "../../common/event_loop.ts";
import { NO_DIGEST } from "../../protocol/wire/digest.ts";
import type { EncodedSegment } from "../../workers/codec.ts";
import type { Producer } from "./producer.ts";
import type { OutgoingStream } from "../outgoing/stream.ts";

/** UTF-16 units that are encoded on this thread: quicker than telling a worker. */
const INLINE_UNITS = 10_000;

/** Units measured at a time: well under a millisecond. */
const MEASURED_UNITS = 64 * 1024;

/** UTF-16 units of a text that is measured in one step. */
const SHORT_UNITS = 4096;

const encoder = new TextEncoder();

/** Bytes of a text as UTF-8, in time slices. */
export async function measureText(text: string): Promise<number> {
  let bytes = 0;
  for (const piece of textPieces(text, MEASURED_UNITS)) {
    bytes += utf8Bytes(piece);
    if (shouldYield()) await yieldToEventLoop();
  }
  return bytes;
}

/** Queues written texts, each at once; half a surrogate pair waits for its other half. */
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

/** Puts a text in a stream's send queue, piece by piece as there is room. Pieces part no surrogate pair. */
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
  stream.queue.push({ memory: segment.bytes, start: SEGMENT_HEADROOM, encoded, weight: bytes, release: () => segment.release() });
}

/** Whether a text may be sent as one chunk without being measured first. */
export function isShort(text: string): boolean {
  return text.length * MAX_UTF8_BYTES_PER_UNIT <= STREAM_CHUNK_SIZE;
}
