import { SEGMENT_CAPACITY, SMALL_SEGMENT_CAPACITY } from "../protocol/constants.ts";

/** Free segments kept for reuse, in bytes: what four bulk streams have in flight. */
const KEPT_BYTES = 16 * 1024 * 1024;

/**
 * Memory that threads share and streams reuse. It goes back to its store when its owner has released it and no job holds it: a job
 * that was abandoned may still be running.
 */
export interface Segment {
  readonly buffer: SharedArrayBuffer;
  /** All of it. */
  readonly bytes: Uint8Array;
  /** A job begins, or ends, to use it. */
  pin(): void;
  unpin(): void;
  /** The owner is done with it. Twice is the same as once. */
  release(): void;
}

/** A free list of segments. */
export interface SegmentStore {
  /** A segment of at least so many bytes; what is in it is undefined. */
  acquire(capacity?: number): Segment;
  /** Segments in use, in bytes. */
  readonly inUse: number;
  /** Forgets the free ones. */
  clear(): void;
}

export function createSegmentStore(): SegmentStore {
  return new FreeLists();
}

/**
 * Capacities there are. They double, so that what waits for a reader takes twice its bytes at most: with two sizes only, frames just too
 * large for a small segment would take fifteen times the window they were given.
 */
const CAPACITIES: readonly number[] = [SMALL_SEGMENT_CAPACITY, 32_768, 65_536, 131_072, SEGMENT_CAPACITY];

class FreeLists implements SegmentStore {
  readonly #free = new Map<number, SharedArrayBuffer[]>(CAPACITIES.map((capacity) => [capacity, []]));
  #kept = 0;
  #inUse = 0;

  get inUse(): number {
    return this.#inUse;
  }

  acquire(capacity: number = SEGMENT_CAPACITY): Segment {
    const size = CAPACITIES.find((size) => size >= capacity) ?? capacity;
    const kept = this.#free.get(size)?.pop();
    if (kept !== undefined) this.#kept -= size;
    this.#inUse += size;
    return new PinnedSegment(kept ?? new SharedArrayBuffer(size), (buffer) => this.#takeBack(buffer));
  }

  clear(): void {
    for (const list of this.#free.values()) list.length = 0;
    this.#kept = 0;
  }

  #takeBack(buffer: SharedArrayBuffer): void {
    this.#inUse -= buffer.byteLength;
    const list = this.#free.get(buffer.byteLength);
    if (list === undefined || this.#kept + buffer.byteLength > KEPT_BYTES) return;
    list.push(buffer);
    this.#kept += buffer.byteLength;
  }
}

class PinnedSegment implements Segment {
  readonly buffer: SharedArrayBuffer;
  readonly bytes: Uint8Array;
  readonly #giveBack: (buffer: SharedArrayBuffer) => void;
  #pins = 0;
  #released = false;
  #gone = false;

  constructor(buffer: SharedArrayBuffer, giveBack: (buffer: SharedArrayBuffer) => void) {
    this.buffer = buffer;
    this.bytes = new Uint8Array(buffer);
    this.#giveBack = giveBack;
  }

  pin(): void {
    this.#pins++;
  }

  unpin(): void {
    this.#pins--;
    this.#settle();
  }

  release(): void {
    this.#released = true;
    this.#settle();
  }

  #settle(): void {
    if (!this.#released || this.#pins > 0 || this.#gone) return;
    this.#gone = true;
    this.#giveBack(this.buffer);
  }
}
