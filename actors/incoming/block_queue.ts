import { STREAM_CHUNK_SIZE } from "../../protocol/constants.ts";
import type { StreamMemory } from "../../protocol/memory_account.ts";
import type { CompressedPayload } from "../../workers/codec.ts";
import type { Segment } from "../../workers/segments.ts";

/** Number of waiting blocks above which small blocks are joined. A small block takes more memory than its bytes. */
const MAX_LOOSE_BLOCKS = 64;

/** Received bytes of a stream. A frame with a `digest` is still to be checked. */
export interface ReceivedBlock {
  /** Memory charged for the block, in bytes. */
  readonly cost: number;
  readonly memory: Uint8Array;
  /** Length in plain bytes. */
  readonly length: number;
  /** Length in memory, in bytes. */
  readonly payload: number;
  /** Encoding and plain length of a compressed frame. */
  readonly compressed?: CompressedPayload;
  /** sha256 of the plain bytes of an unchecked frame. */
  readonly digest?: Uint8Array;
  readonly segment?: Segment;
}

/** Blocks that wait for the reader, in order. Their memory is charged before they are added. */
export class BlockQueue {
  readonly #blocks: ReceivedBlock[] = [];
  readonly #memory: StreamMemory;

  constructor(memory: StreamMemory) {
    this.#memory = memory;
  }

  /** Whether a block waits. */
  get waiting(): boolean {
    return this.#blocks.length > 0;
  }

  /** Adds a frame. */
  push(block: ReceivedBlock): void {
    this.#blocks.push(block);
  }

  /** Adds checked bytes, joined with the last block if many wait. `borrowed` bytes belong to the transport and are copied. */
  append(bytes: Uint8Array, borrowed: boolean, cost: number): void {
    const last = this.#blocks.at(-1);
    const length = bytes.length + (last?.length ?? 0);
    const isLoose = last !== undefined && last.digest === undefined && last.segment === undefined;
    if (!isLoose || this.#blocks.length < MAX_LOOSE_BLOCKS || length > STREAM_CHUNK_SIZE) {
      this.push({ memory: borrowed ? new Uint8Array(bytes) : bytes, length: bytes.length, payload: bytes.length, cost });
      return;
    }
    let memory = new Uint8Array(last.memory.buffer);
    if (memory.length < length) {
      memory = new Uint8Array(Math.min(2 * length, STREAM_CHUNK_SIZE));
      memory.set(last.memory);
    }
    memory.set(bytes, last.length);
    this.#memory.free(cost - bytes.length); // the overhead of a separate block
    this.#blocks[this.#blocks.length - 1] = {
      memory: memory.subarray(0, length),
      length,
      payload: length,
      cost: last.cost + bytes.length,
    };
  }

  /** Removes the next block; undefined if none waits. */
  poll(): ReceivedBlock | undefined {
    const block = this.#blocks.shift();
    if (block === undefined || block.segment !== undefined || block.digest !== undefined) return block;
    const isWhole = block.length === block.memory.buffer.byteLength;
    return isWhole ? block : { ...block, memory: block.memory.slice() }; // trims a joined block's spare capacity
  }

  /** Frees a block, or a part of a frame. */
  drop({ segment, cost }: { readonly segment?: Segment; readonly cost: number }): void {
    segment?.release();
    this.#memory.free(cost);
  }

  /** Frees all blocks. */
  clear(): void {
    for (const block of this.#blocks.splice(0)) this.drop(block);
  }
}
