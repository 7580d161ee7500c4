import { encodeFrameHeader, type FrameHeader } from "./frames.ts";
import type { ChunkPacket } from "./packets.ts";

/** Memory that runtimes of one process share. */
export interface SharedMemory {
  readonly bytes: Uint8Array;
}

/**
 * A raw frame in its sender's memory, for receivers in the same process: nothing is copied, and the sender's hash is not computed again. The
 * memory stays unchanged until every receiver has released it.
 */
export class SharedFrame<Memory extends SharedMemory = SharedMemory> {
  readonly streamId: string;
  /** Number of the chunk that the frame counts as. */
  readonly index: number;
  readonly header: FrameHeader;
  readonly memory: Memory;
  /** Index of the payload in the memory. */
  readonly start: number;

  constructor(streamId: string, index: number, header: FrameHeader, memory: Memory, start: number) {
    this.streamId = streamId;
    this.index = index;
    this.header = header;
    this.memory = memory;
    this.start = start;
  }

  /** The plain bytes, in the shared memory. */
  get payload(): Uint8Array {
    return this.memory.bytes.subarray(this.start, this.start + this.header.payload);
  }

  /** Copies the frame, for a receiver that takes chunks. */
  toChunk(): ChunkPacket {
    const header = encodeFrameHeader(this.header);
    const content = new Uint8Array(header.length + this.header.payload);
    content.set(header);
    content.set(this.payload, header.length);
    return { type: "chunk", streamId: this.streamId, index: this.index, content };
  }
}
