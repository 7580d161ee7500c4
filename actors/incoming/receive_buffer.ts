import { type PlaceResult, Reassembler } from "../../protocol/wire/reassembly.ts";
import { SEGMENT_BYTES, SEGMENT_HEADROOM, STREAM_CHUNK_SIZE } from "../../protocol/constants.ts";
import { isDigestOf } from "../../protocol/digest.ts";
import { SharedFrame } from "../../protocol/wire/shared_frame.ts";
import { type FrameHeader, FrameParser, isCompressed } from "../../protocol/wire/frames.ts";
import { BLOCK_OVERHEAD, type StreamMemory } from "../../protocol/memory_account.ts";
import type { Segment, SegmentStore } from "../../workers/segments.ts";
import { BlockQueue, type ReceivedBlock } from "./block_queue.ts";
import type { Fault } from "./fault.ts";
import { goOn, leave } from "../../common/slices.ts";

/** Most frames parsed in one step. A chunk may hold over 1,000 frames, which take several milliseconds. */
export const FRAMES_AT_ONCE = 32;

/** Content of a chunk: bytes of the transport, or a frame in its sender's memory. */
export type ChunkContent = Uint8Array | SharedFrame<Segment>;

/** Memory for the payload of a frame: a segment, or an array for a small frame. */
interface FrameMemory {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly segment?: Segment;
  readonly cost: number;
}

/** Decision on received bytes: keep them, discard them as the stream has no handler, or end the stream with a fault. */
export type Admission = "keep" | "pass" | Fault;

/** Environment of a receive buffer. */
export interface ReceiveBufferHooks {
  /** Decides on bytes up to an offset. */
  admit(to: number): Admission;
  /** Takes the digest of each whole frame, in order. */
  framed(digest: Uint8Array): void;
  /** Called after content was parsed in a later turn of the event loop, with the fault if there was one. */
  parsedLater(fault: Fault | undefined): void;
  /** Fault of a sender whose memory is used up. */
  readonly shortage: Fault;
}

/** Received bytes of a stream that wait for its reader. Ignores content after a fault, or once content is discarded. */
export class ReceiveBuffer {
  /** Plain bytes that have arrived without a gap and were kept. */
  received = 0;
  readonly #hooks: ReceiveBufferHooks;
  readonly #segments: SegmentStore;
  readonly #memory: StreamMemory;
  readonly #reassembler: Reassembler;
  readonly #parser: FrameParser<FrameMemory> | undefined;
  readonly #blocks: BlockQueue;
  /** Contents to parse in later turns of the event loop: a chunk with many frames, and the chunks after that one. */
  readonly #backlog: Uint8Array[] = [];
  /** Index in the first content of the backlog where parsing continues. */
  #at = 0;
  #state: "open" | "passing" | "closed" | Fault = "open";

  constructor(framed: boolean, segments: SegmentStore, memory: StreamMemory, hooks: ReceiveBufferHooks) {
    this.#hooks = hooks;
    this.#segments = segments;
    this.#memory = memory;
    this.#blocks = new BlockQueue(memory);
    this.#reassembler = new Reassembler((content) => this.#deliver(content), memory);
    if (!framed) return;
    this.#parser = new FrameParser({
      begin: (header) => this.#beginFrame(header),
      put: ({ bytes, start }, at, part) => bytes.set(part, start + at),
      end: (header, memory) => this.#endFrame(header, memory),
    });
  }

  /** Index of the first chunk that has not arrived. */
  get next(): number {
    return this.#reassembler.next;
  }

  /** Whether a chunk has arrived ahead of a missing one. */
  get gap(): boolean {
    return this.#reassembler.gap;
  }

  /** Bytes held behind a gap. */
  get heldBytes(): number {
    return this.#reassembler.heldBytes;
  }

  /** Whether content in order is still to be parsed. */
  get behind(): boolean {
    return this.#backlog.length > 0;
  }

  /** Whether a block waits. */
  get waiting(): boolean {
    return this.#blocks.waiting;
  }

  /** Whether the parsed content ends within a frame. */
  get broken(): boolean {
    return this.#parser?.between === false;
  }

  /** Whether content is discarded, as the stream has neither a handler nor credit. */
  get isPassing(): boolean {
    return this.#state === "passing";
  }

  /** Takes a chunk; `room` bytes may be held behind a gap. Returns the fault that ends the stream, if there is one. */
  place(index: number, content: ChunkContent, room: number): Fault | undefined {
    const placed = content instanceof SharedFrame
      ? this.#placeShared(index, content, room)
      : this.#reassembler.place(index, content, room);
    if (typeof this.#state === "object") return this.#state;
    if (placed === "corrupt") return this.#fail({ code: "corrupt", why: `chunk ${index} is not what was due` });
    if (placed === "too-far") return this.#fail({ code: "refused", why: `chunk ${index} is beyond the credit` });
    return undefined;
  }

  /** Removes the next block; undefined if none waits. */
  poll(): ReceivedBlock | undefined {
    return this.#blocks.poll();
  }

  /** Frees all content, and ignores later content. */
  close(): void {
    this.#state = "closed";
    this.#blocks.clear();
    const partial = this.#parser?.takePartial();
    if (partial !== undefined) this.drop(partial);
    leave(this.#parseBacklog);
    for (const content of this.#backlog.splice(0)) this.#memory.free(content.length + BLOCK_OVERHEAD);
    this.#reassembler.clear();
  }

  /** Frees a block, or a part of a frame. */
  drop(block: { readonly segment?: Segment; readonly cost: number }): void {
    this.#blocks.drop(block);
  }

  /** Keeps a frame in its sender's memory, if the frame is due; otherwise copies it. */
  #placeShared(index: number, frame: SharedFrame<Segment>, room: number): PlaceResult {
    const { header, memory } = frame;
    const { offset, length, digest } = header;
    if (this.behind || this.#parser?.isDue(header) !== true || !this.#reassembler.pass(index)) {
      return this.#reassembler.place(index, frame.toChunk().content, room);
    }
    const cost = memory.bytes.length;
    if (this.#state !== "open" || !this.#isAdmitted(offset + length) || !this.#reserve(cost)) return "taken";
    this.#parser.skip(header);
    this.received = this.#parser.received;
    this.#hooks.framed(digest);
    this.#blocks.push({ memory: frame.payload, length, payload: length, segment: memory.share(), cost });
    return "taken";
  }

  #fail(fault: Fault): Fault {
    this.#state = fault;
    return fault;
  }

  /** Takes content in order. Returns false if its frames are invalid. */
  #deliver(content: Uint8Array): boolean {
    if (this.#state !== "open") return true;
    if (this.#parser === undefined) {
      this.#keep(content);
      return true;
    }
    if (this.behind) return this.#parseLater(content);
    const next = this.#parse(this.#parser, content, 0);
    if (next === undefined) return false;
    return next === content.length || this.#parseLater(content.subarray(next));
  }

  /** Parses some frames. Returns the index after them; undefined if the frames are invalid. */
  #parse(parser: FrameParser<FrameMemory>, content: Uint8Array, from: number): number | undefined {
    const next = parser.push(content, from, FRAMES_AT_ONCE);
    if (this.#state !== "open") return content.length; // a frame was not admitted
    this.received = parser.received;
    return next;
  }

  /** Copies content, to be parsed in a later turn of the event loop. */
  #parseLater(content: Uint8Array): true {
    if (!this.#reserve(content.length + BLOCK_OVERHEAD)) return true;
    this.#backlog.push(new Uint8Array(content));
    goOn(this.#parseBacklog);
    return true;
  }

  /** Parses some frames of the backlog; false when none are left. */
  readonly #parseBacklog = (): boolean => {
    const [content] = this.#backlog;
    if (content === undefined || this.#parser === undefined) return false;
    const next = this.#parse(this.#parser, content, this.#at);
    if (this.#state === "open") {
      this.#at = next === undefined || next === content.length ? 0 : next;
      if (this.#at === 0) {
        this.#backlog.shift();
        this.#memory.free(content.length + BLOCK_OVERHEAD);
      }
      if (next === undefined) this.#fail({ code: "corrupt", why: "its frames are not those that were due" });
    }
    this.#hooks.parsedLater(typeof this.#state === "object" ? this.#state : undefined);
    return this.#state === "open" && this.behind;
  };

  /** Whether bytes up to an offset are admitted. Stops the buffer if not. */
  #isAdmitted(to: number): boolean {
    const admission = this.#hooks.admit(to);
    if (admission === "keep") return true;
    this.#state = admission === "pass" ? "passing" : admission;
    return false;
  }

  #beginFrame({ offset, length, encoding, payload }: FrameHeader): FrameMemory | undefined {
    if (length > SEGMENT_BYTES || !this.#isAdmitted(offset + length)) return undefined;
    // A small frame takes no segment, as frames of two bytes would take a hundred times the memory of their credit.
    if (payload <= STREAM_CHUNK_SIZE && length <= (isCompressed(encoding) ? SEGMENT_BYTES : STREAM_CHUNK_SIZE)) {
      const cost = payload + BLOCK_OVERHEAD;
      return this.#reserve(cost) ? { bytes: new Uint8Array(payload), start: 0, cost } : undefined;
    }
    const segment = this.#segments.acquire(SEGMENT_HEADROOM + payload);
    const cost = segment.bytes.length; // the whole segment, even if the frame is shorter
    if (this.#reserve(cost)) return { bytes: segment.bytes, start: SEGMENT_HEADROOM, segment, cost };
    segment.release();
    return undefined;
  }

  #reserve(bytes: number): boolean {
    if (this.#memory.reserve(bytes)) return true;
    this.#fail(this.#hooks.shortage);
    return false;
  }

  #endFrame({ digest, length, encoding, payload }: FrameHeader, { bytes, start, segment, cost }: FrameMemory): void {
    this.#hooks.framed(digest);
    if (isCompressed(encoding)) {
      const compressed = { encoding, length };
      const memory = bytes.subarray(start, start + payload);
      this.#blocks.push({ memory, length, payload, digest, compressed, cost, ...(segment === undefined ? {} : { segment }) });
    } else if (segment !== undefined) {
      this.#blocks.push({ memory: bytes.subarray(start, start + payload), length, payload, digest, segment, cost });
    } else if (isDigestOf(digest, bytes)) this.#blocks.append(bytes, false, cost);
    else this.#fail({ code: "corrupt", why: "a frame's digest is not that of its bytes" });
  }

  /** Keeps bytes of a plain stream, if they are admitted and memory suffices. */
  #keep(bytes: Uint8Array): void {
    const to = this.received + bytes.length;
    if (!this.#isAdmitted(to)) return;
    const cost = bytes.length + BLOCK_OVERHEAD;
    if (bytes.length > 0) {
      if (!this.#reserve(cost)) return;
      this.#blocks.append(bytes, true, cost);
    }
    this.received = to;
  }
}
