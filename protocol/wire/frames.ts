// Frames of streams between Millrace runtimes: a header and a payload. Each frame has its own digest, so that frames are checked in any
// order, on any core. The header is two bytes of length, then a msgpack array.
import { SEGMENT_HEADROOM } from "../constants.ts";
import { decodeMsgpack, encodeMsgpack } from "./msgpack.ts";
import { isUint8Array } from "../../common/realms.ts";
import { isCount } from "../../common/shapes.ts";

/** Encoding of a frame's payload. */
export type FrameEncoding = "raw" | "deflate-raw" | "zstd";

/** Header of a frame. */
export interface FrameHeader {
  /** Offset of its first plain byte in the stream. */
  readonly offset: number;
  /** Number of plain bytes. */
  readonly length: number;
  readonly encoding: FrameEncoding;
  /** sha256 of the plain bytes. */
  readonly digest: Uint8Array;
  /** Number of payload bytes. */
  readonly payload: number;
}

/** All encodings, the most compact first. */
const ENCODINGS: readonly FrameEncoding[] = ["zstd", "deflate-raw", "raw"];

/** Whether an encoding compresses. */
export function isCompressed(encoding: FrameEncoding): encoding is Exclude<FrameEncoding, "raw"> {
  return encoding !== "raw";
}

/** The most compact encoding that all of several runtimes list. */
export function bestEncoding(known: readonly (readonly string[])[]): FrameEncoding {
  return ENCODINGS.find((encoding) => known.every((encodings) => encodings.includes(encoding))) ?? "raw";
}

/** Largest frame header, in bytes, length included: it fits before a segment's payload. */
export const MAX_FRAME_HEADER = 128;

if (MAX_FRAME_HEADER > SEGMENT_HEADROOM) throw new RangeError("The header of a frame does not fit before its segment");

export function encodeFrameHeader({ offset, length, encoding, digest, payload }: FrameHeader): Uint8Array {
  const body = encodeMsgpack([offset, length, encoding, digest, payload]);
  const bytes = new Uint8Array(2 + body.length);
  bytes[0] = body.length >> 8;
  bytes[1] = body.length & 0xff;
  bytes.set(body, 2);
  return bytes;
}

/** Decodes a header without its two bytes of length; undefined if the bytes are no header. */
export function decodeFrameHeader(body: Uint8Array): FrameHeader | undefined {
  const fields = decodeMsgpack(body);
  if (!Array.isArray(fields) || fields.length !== 5) return undefined;
  const [offset, length, encoding, digest, payload] = fields as unknown[];
  if (!isCount(offset) || !isCount(length) || !isCount(payload) || !isEncoding(encoding)) return undefined;
  if (!isUint8Array(digest) || digest.length !== 32 || length === 0) return undefined;
  if (isCompressed(encoding) ? payload === 0 || payload >= length : payload !== length) return undefined;
  return { offset, length, encoding, digest: new Uint8Array(digest), payload };
}

function isEncoding(value: unknown): value is FrameEncoding {
  return ENCODINGS.includes(value as FrameEncoding);
}

/** Destination of frames' payloads. */
export interface FrameSink<Buffer> {
  /** Starts a frame. Returns undefined if the frame is not accepted. */
  begin(header: FrameHeader): Buffer | undefined;
  /** Copies a part of the payload to an index of the buffer. */
  put(buffer: Buffer, at: number, part: Uint8Array): void;
  /** Ends a whole frame. */
  end(header: FrameHeader, buffer: Buffer): void;
}

/** Finds the frames in a stream's chunks, which come in order and are cut anywhere. */
export class FrameParser<Buffer> {
  readonly #sink: FrameSink<Buffer>;
  readonly #head = new Uint8Array(MAX_FRAME_HEADER);
  #headFilled = 0;
  #frame: FrameHeader | undefined;
  #buffer: Buffer | undefined;
  #filled = 0;
  #offset = 0;

  constructor(sink: FrameSink<Buffer>) {
    this.#sink = sink;
  }

  /** Plain bytes that have arrived; of an unfinished frame its payload bytes, which are never more. */
  get received(): number {
    return this.#offset + this.#filled;
  }

  /** Whether the chunks so far end with a whole frame. */
  get between(): boolean {
    return this.#frame === undefined && this.#headFilled === 0;
  }

  /** Whether a frame is the next one. */
  isDue({ offset }: FrameHeader): boolean {
    return this.between && offset === this.#offset;
  }

  /** Counts the next frame, which came whole by another way. */
  skip({ length }: FrameHeader): void {
    this.#offset += length;
  }

  /** Takes the buffer of an unfinished frame, when the stream ends. */
  takePartial(): Buffer | undefined {
    const buffer = this.#buffer;
    this.#buffer = undefined;
    return buffer;
  }

  /**
   * Parses content from an index until `frames` frames have begun. Returns the index where parsing stopped; undefined if the content is
   * not the frames that were due.
   */
  push(content: Uint8Array, from = 0, frames = Infinity): number | undefined {
    let at = from;
    let left = frames;
    while (at < content.length) {
      if (this.#frame === undefined) {
        if (left-- === 0) return at;
        const next = this.#pushHead(content, at);
        if (next === undefined) return undefined;
        at = next;
        continue;
      }
      const missing = this.#frame.payload - this.#filled;
      const part = at === 0 && content.length <= missing ? content : content.subarray(at, at + missing);
      this.#sink.put(this.#buffer as Buffer, this.#filled, part);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === this.#frame.payload) this.#finish(this.#frame);
    }
    return at;
  }

  #pushHead(content: Uint8Array, from: number): number | undefined {
    let at = from;
    while (this.#headFilled < 2 && at < content.length) this.#head[this.#headFilled++] = content[at++] ?? 0;
    if (this.#headFilled < 2) return at;
    const whole = 2 + (((this.#head[0] ?? 0) << 8) | (this.#head[1] ?? 0));
    if (whole > MAX_FRAME_HEADER) return undefined;
    const part = content.subarray(at, at + whole - this.#headFilled);
    this.#head.set(part, this.#headFilled);
    this.#headFilled += part.length;
    at += part.length;
    if (this.#headFilled < whole) return at;
    const frame = decodeFrameHeader(this.#head.subarray(2, whole));
    if (frame === undefined || frame.offset !== this.#offset) return undefined;
    const buffer = this.#sink.begin(frame);
    if (buffer === undefined) return undefined;
    this.#frame = frame;
    this.#buffer = buffer;
    this.#headFilled = 0;
    return at;
  }

  #finish(frame: FrameHeader): void {
    const buffer = this.#buffer as Buffer;
    this.#frame = undefined;
    this.#buffer = undefined;
    this.#offset += frame.length;
    this.#filled = 0;
    this.#sink.end(frame, buffer);
  }
}
