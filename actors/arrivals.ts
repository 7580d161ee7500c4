import { Assembly, type Placed } from "../protocol/assembly.ts";
import { SEGMENT_BYTES, SEGMENT_HEADROOM, STREAM_CHUNK_SIZE } from "../protocol/constants.ts";
import { isDigestOf } from "../protocol/digest.ts";
import { type FrameHeader, FrameParser, isCompressed } from "../protocol/frames.ts";
import type { Packed } from "../workers/packing.ts";
import type { Segment, SegmentStore } from "../workers/segments.ts";

/** Pieces that wait as they came; past that, small ones are put together, as each costs more memory than its bytes. */
const LOOSE_PIECES = 64;

/** A run of a stream's bytes that has come: of a framed stream one frame, not yet checked, in shared memory. */
export interface Piece {
  readonly memory: Uint8Array;
  /** Plain bytes. */
  readonly length: number;
  /** Bytes in memory. */
  readonly payload: number;
  /** Of a compressed frame: how it is to be read. */
  readonly packed?: Packed;
  /** Of a frame. */
  readonly digest?: Uint8Array;
  readonly segment?: Segment;
}

/** Where a frame goes as it comes: shared memory, or, if it is small, memory of its own that is checked here. */
interface FrameMemory {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly segment?: Segment;
}

/** What arrivals ask of their stream. */
export interface Gate {
  /** Whether bytes up to an offset may be kept; false: they go by, or the stream has ended. */
  admit(to: number): boolean;
  /** A frame has come whole; its digest is the next of the stream's. */
  framed(digest: Uint8Array): void;
  /** A small frame is not what its digest says. */
  corrupt(): void;
}

/** The bytes of a stream that have come and wait for its reader. */
export class Arrivals {
  /** Plain bytes that have come, without a gap. */
  received = 0;
  readonly #gate: Gate;
  readonly #segments: SegmentStore;
  readonly #assembly: Assembly;
  readonly #parser: FrameParser<FrameMemory> | undefined;
  readonly #pieces: Piece[] = [];
  #closed = false;

  constructor(framed: boolean, segments: SegmentStore, gate: Gate) {
    this.#gate = gate;
    this.#segments = segments;
    this.#assembly = new Assembly((content) => this.#deliver(content));
    if (!framed) return;
    this.#parser = new FrameParser({
      begin: (header) => this.#beginFrame(header),
      put: ({ bytes, start }, at, part) => bytes.set(part, start + at),
      end: (header, memory) => this.#endFrame(header, memory),
    });
  }

  /** Index of the first chunk that has not come. */
  get next(): number {
    return this.#assembly.next;
  }

  /** Whether a chunk has come before one that is missing. */
  get gap(): boolean {
    return this.#assembly.gap;
  }

  /** Bytes held behind a gap. */
  get heldBytes(): number {
    return this.#assembly.heldBytes;
  }

  /** Whether there is something to poll. */
  get waiting(): boolean {
    return this.#pieces.length > 0;
  }

  /** Whether what has come ends within a frame. */
  get broken(): boolean {
    return this.#parser?.between === false;
  }

  /** Takes a chunk; `room` bytes may be held behind a gap. */
  place(index: number, content: Uint8Array, room: number): Placed {
    return this.#assembly.place(index, content, room);
  }

  /** The next bytes, if any have come. */
  poll(): Piece | undefined {
    const piece = this.#pieces.shift();
    if (piece === undefined || piece.segment !== undefined || piece.length === piece.memory.buffer.byteLength) return piece;
    return { ...piece, memory: piece.memory.slice() }; // put together: without the room that was left for more
  }

  /** Gives back what waits; what comes from now on goes by. */
  close(): void {
    this.#closed = true;
    for (const piece of this.#pieces.splice(0)) piece.segment?.release();
    this.#parser?.takePartial()?.segment?.release();
    this.#assembly.clear();
  }

  #deliver(content: Uint8Array): boolean {
    if (this.#closed) return true;
    if (this.#parser !== undefined) {
      const parsed = this.#parser.push(content);
      if (this.#closed) return true; // a frame was not admitted
      this.received = this.#parser.received;
      return parsed;
    }
    const to = this.received + content.length;
    if (!this.#gate.admit(to)) return true;
    this.received = to;
    if (content.length > 0) this.#keep(content, true);
    return true;
  }

  #beginFrame({ offset, length, encoding, payload }: FrameHeader): FrameMemory | undefined {
    if (length > SEGMENT_BYTES || !this.#gate.admit(offset + length)) return undefined;
    if (length <= STREAM_CHUNK_SIZE && !isCompressed(encoding)) return { bytes: new Uint8Array(length), start: 0 };
    const segment = this.#segments.acquire(SEGMENT_HEADROOM + payload);
    return { bytes: segment.bytes, start: SEGMENT_HEADROOM, segment };
  }

  #endFrame({ digest, length, encoding, payload }: FrameHeader, { bytes, start, segment }: FrameMemory): void {
    this.#gate.framed(digest);
    if (segment !== undefined) {
      const packed = isCompressed(encoding) ? { packed: { encoding, length } } : {};
      this.#pieces.push({ memory: bytes.subarray(start, start + payload), length, payload, digest, segment, ...packed });
    } else if (isDigestOf(digest, bytes)) this.#keep(bytes, false);
    else this.#gate.corrupt();
  }

  /** Keeps bytes for the reader; `borrowed`: they are the transport's. */
  #keep(bytes: Uint8Array, borrowed: boolean): void {
    const last = this.#pieces.at(-1);
    const length = bytes.length + (last?.length ?? 0);
    if (last === undefined || last.segment !== undefined || this.#pieces.length < LOOSE_PIECES || length > STREAM_CHUNK_SIZE) {
      this.#pieces.push({ memory: borrowed ? new Uint8Array(bytes) : bytes, length: bytes.length, payload: bytes.length });
      return;
    }
    let memory = new Uint8Array(last.memory.buffer);
    if (memory.length < length) {
      memory = new Uint8Array(Math.min(2 * length, STREAM_CHUNK_SIZE));
      memory.set(last.memory);
    }
    memory.set(bytes, last.length);
    this.#pieces[this.#pieces.length - 1] = { memory: memory.subarray(0, length), length, payload: length };
  }
}
