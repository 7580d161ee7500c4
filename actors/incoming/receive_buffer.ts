import { type PlaceResult, Reassembler } from "../../protocol/wire/reassembly.ts";
import { SEGMENT_BYTES, SEGMENT_HEADROOM, STREAM_CHUNK_SIZE } from "../../protocol/constants.ts";
import { isDigestOf } from "../../protocol/wire/digest.ts";
import { type FrameHeader, FrameParser, isCompressed } from "../../protocol/wire/frames.ts";
import { BLOCK_OVERHEAD, type StreamMemory } from "../../protocol/memory_account.ts";
import type { CompressedPayload } from "../../workers/codec.ts";
import type { Segment, SegmentStore } from "../../workers/segments.ts";
import { goOn, leave } from "./slices.ts";

/** Blocks that wait as they came; past that, small ones are put together, as each costs more memory than its bytes. */
const MAX_LOOSE_BLOCKS = 64;

/** Frames of one content that are dealt with as it comes. A packet may hold over 1,000, which would take several milliseconds. */
export const FRAMES_AT_ONCE = 32;

/**
 * A run of a stream's bytes that has come. A large frame lies in shared memory, a small compressed one in memory of its own; neither is
 * checked yet.
 */
export interface ReceivedBlock {
  /** Bytes that it was charged. */
  readonly cost: number;
  readonly memory: Uint8Array;
  /** Plain bytes. */
  readonly length: number;
  /** Bytes in memory. */
  readonly payload: number;
  /** Encoding of a compressed frame, and its length when decompressed. */
  readonly compressed?: CompressedPayload;
  /** sha256 of the plain bytes of a frame. */
  readonly digest?: Uint8Array;
  readonly segment?: Segment;
}

/** Where a frame goes as it comes: shared memory, or, if it is small, memory of its own that is checked here. */
interface FrameMemory {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly segment?: Segment;
  readonly cost: number;
}

/** Calls of a receive buffer on its stream. */
export interface Gate {
  /** Whether bytes up to an offset may be kept; false: they go by, or the stream has ended. */
  admit(to: number): boolean;
  /** A frame has come whole; its digest is the next of the stream's. */
  framed(digest: Uint8Array): void;
  /** A small frame is not what its digest says, or contents that waited are not the frames that were due. */
  corrupt(why: string): void;
  /** Contents that waited were dealt with. */
  caughtUp(): void;
  /** There is no memory for what comes. */
  crowded(): void;
}

/** The bytes of a stream that have come and wait for its reader. */
export class ReceiveBuffer {
  /** Plain bytes that have come, without a gap. */
  received = 0;
  readonly #gate: Gate;
  readonly #segments: SegmentStore;
  readonly #memory: StreamMemory;
  readonly #assembly: Reassembler;
  readonly #parser: FrameParser<FrameMemory> | undefined;
  readonly #blocks: ReceivedBlock[] = [];
  /** Contents of many frames, and what came after them: dealt with in turns. */
  readonly #backlog: Uint8Array[] = [];
  /** Where the first of them stands. */
  #at = 0;
  #closed = false;

  constructor(framed: boolean, segments: SegmentStore, memory: StreamMemory, gate: Gate) {
    this.#gate = gate;
    this.#segments = segments;
    this.#memory = memory;
    this.#assembly = new Reassembler((content) => this.#deliver(content), memory);
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

  /** Whether contents have come in order that are not dealt with yet. */
  get behind(): boolean {
    return this.#backlog.length > 0;
  }

  /** Whether there is something to poll. */
  get waiting(): boolean {
    return this.#blocks.length > 0;
  }

  /** Whether what has come ends within a frame. */
  get broken(): boolean {
    return this.#parser?.between === false;
  }

  /** Takes a chunk; `room` bytes may be held behind a gap. */
  place(index: number, content: Uint8Array, room: number): PlaceResult {
    return this.#assembly.place(index, content, room);
  }

  /** The next bytes, if any have come. */
  poll(): ReceivedBlock | undefined {
    const block = this.#blocks.shift();
    if (block === undefined || block.digest !== undefined || block.length === block.memory.buffer.byteLength) return block;
    return { ...block, memory: block.memory.slice() }; // put together: without the room that was left for more
  }

  /** Gives back what waits; what comes from now on goes by. */
  close(): void {
    this.#closed = true;
    for (const block of this.#blocks.splice(0)) this.drop(block);
    const partial = this.#parser?.takePartial();
    if (partial !== undefined) this.drop(partial);
    leave(this.#goOn);
    for (const content of this.#backlog.splice(0)) this.#memory.free(content.length + BLOCK_OVERHEAD);
    this.#assembly.clear();
  }

  /** Gives back the memory of what was taken, or is not wanted. */
  drop({ segment, cost }: { readonly segment?: Segment; readonly cost: number }): void {
    segment?.release();
    this.#memory.free(cost);
  }

  #deliver(content: Uint8Array): boolean {
    if (this.#closed) return true;
    if (this.#parser !== undefined) {
      if (this.behind) return this.#putOff(content);
      const next = this.#parse(this.#parser, content, 0);
      if (next === undefined) return false;
      return next === content.length || this.#putOff(content.subarray(next));
    }
    const to = this.received + content.length;
    if (!this.#gate.admit(to)) return true;
    if (content.length > 0 && !this.#keep(content, true)) return true;
    this.received = to;
    return true;
  }

  /** Deals with some frames; returns where it stopped, undefined if they are none. */
  #parse(parser: FrameParser<FrameMemory>, content: Uint8Array, from: number): number | undefined {
    const next = parser.push(content, from, FRAMES_AT_ONCE);
    if (this.#closed) return content.length; // a frame was not admitted
    this.received = parser.received;
    return next;
  }

  /** Keeps contents for a later turn. */
  #putOff(content: Uint8Array): boolean {
    if (!this.#reserve(content.length + BLOCK_OVERHEAD)) return true;
    this.#backlog.push(new Uint8Array(content));
    goOn(this.#goOn);
    return true;
  }

  /** Deals with some of the frames that wait; false when none are left. */
  readonly #goOn = (): boolean => {
    const [content] = this.#backlog;
    if (content === undefined || this.#parser === undefined) return false;
    const next = this.#parse(this.#parser, content, this.#at);
    if (this.#closed) return false;
    this.#at = next === undefined || next === content.length ? 0 : next;
    if (this.#at === 0) {
      this.#backlog.shift();
      this.#memory.free(content.length + BLOCK_OVERHEAD);
    }
    if (next === undefined) this.#gate.corrupt("its frames are not those that were due");
    else this.#gate.caughtUp();
    return this.behind;
  };

  #beginFrame({ offset, length, encoding, payload }: FrameHeader): FrameMemory | undefined {
    if (length > SEGMENT_BYTES || !this.#gate.admit(offset + length)) return undefined;
    // A small frame takes no segment: frames of two bytes would hold a hundred times the credit they use.
    if (payload <= STREAM_CHUNK_SIZE && length <= (isCompressed(encoding) ? SEGMENT_BYTES : STREAM_CHUNK_SIZE)) {
      const cost = payload + BLOCK_OVERHEAD;
      return this.#reserve(cost) ? { bytes: new Uint8Array(payload), start: 0, cost } : undefined;
    }
    const segment = this.#segments.acquire(SEGMENT_HEADROOM + payload);
    const cost = segment.bytes.length; // all of it, whatever of it the frame needs
    if (this.#reserve(cost)) return { bytes: segment.bytes, start: SEGMENT_HEADROOM, segment, cost };
    segment.release();
    return undefined;
  }

  #reserve(bytes: number): boolean {
    if (this.#memory.reserve(bytes)) return true;
    this.#gate.crowded();
    return false;
  }

  #endFrame({ digest, length, encoding, payload }: FrameHeader, { bytes, start, segment, cost }: FrameMemory): void {
    this.#gate.framed(digest);
    if (isCompressed(encoding)) {
      const compressed = { encoding, length };
      const memory = bytes.subarray(start, start + payload);
      this.#blocks.push({ memory, length, payload, digest, compressed, cost, ...(segment === undefined ? {} : { segment }) });
    } else if (segment !== undefined) {
      this.#blocks.push({ memory: bytes.subarray(start, start + payload), length, payload, digest, segment, cost });
    } else if (isDigestOf(digest, bytes)) this.#append(bytes, false, cost);
    else this.#gate.corrupt("a frame's digest is not that of its bytes");
  }

  /** Keeps bytes of a plain stream for its reader; false where there is no memory for them. */
  #keep(bytes: Uint8Array, borrowed: boolean): boolean {
    const cost = bytes.length + BLOCK_OVERHEAD;
    if (!this.#reserve(cost)) return false;
    this.#append(bytes, borrowed, cost);
    return true;
  }

  /** Keeps bytes that were charged; `borrowed`: they are the transport's. */
  #append(bytes: Uint8Array, borrowed: boolean, cost: number): void {
    const last = this.#blocks.at(-1);
    const length = bytes.length + (last?.length ?? 0);
    if (last === undefined || last.digest !== undefined || this.#blocks.length < MAX_LOOSE_BLOCKS || length > STREAM_CHUNK_SIZE) {
      this.#blocks.push({ memory: borrowed ? new Uint8Array(bytes) : bytes, length: bytes.length, payload: bytes.length, cost });
      return;
    }
    let memory = new Uint8Array(last.memory.buffer);
    if (memory.length < length) {
      memory = new Uint8Array(Math.min(2 * length, STREAM_CHUNK_SIZE));
      memory.set(last.memory);
    }
    memory.set(bytes, last.length);
    this.#memory.free(cost - bytes.length); // it is no block of its own any more
    this.#blocks[this.#blocks.length - 1] = {
      memory: memory.subarray(0, length),
      length,
      payload: length,
      cost: last.cost + bytes.length,
    };
  }
}
