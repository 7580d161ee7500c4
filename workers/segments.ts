import { SEGMENT_CAPACITY, SEGMENT_HEADROOM, SMALL_SEGMENT_CAPACITY } from "../protocol/constants.ts";

/** Bytes of free segments kept for reuse: as many as four bulk streams have in flight. */
const KEPT_BYTES = 16 * 1024 * 1024;

/**
 * Recycled memory, which threads share where the platform has shared memory. A segment returns to its store when its owner has released it and no job pins it: an abandoned job
 * may still run.
 */
export interface Segment {
  readonly buffer: ArrayBufferLike;
  /** View of the whole buffer. */
  readonly bytes: Uint8Array;
  /** Notes that a job starts to use the memory, or ends. */
  pin(): void;
  unpin(): void;
  /** Releases the owner's hold. Idempotent. */
  release(): void;
  /** Another hold of the same memory, with a release of its own. */
  share(): Segment;
}

/** Store of free segments. */
export interface SegmentStore {
  /** Takes a segment of at least that many bytes. Its content is undefined. */
  acquire(capacity?: number): Segment;
  /** Segments in use, in bytes. */
  readonly inUse: number;
  /** Drops free segments. */
  clear(): void;
}

/** Creates a store. `allocate` makes the memory of a segment, of a size in bytes. */
export function createSegmentStore(allocate: (bytes: number) => ArrayBufferLike = shared): SegmentStore {
  return new FreeLists(allocate);
}

function shared(bytes: number): ArrayBufferLike {
  return new SharedArrayBuffer(bytes);
}

/** Payloads of segments between the smallest and the largest, in bytes. They double, so that a frame takes at most twice its size. */
const PAYLOADS: readonly number[] = [32_768, 65_536, 131_072];

/** Capacities of segments, in bytes. */
const CAPACITIES: readonly number[] = [
  SMALL_SEGMENT_CAPACITY,
  ...PAYLOADS.map((payload) => SEGMENT_HEADROOM + payload),
  SEGMENT_CAPACITY,
];

class FreeLists implements SegmentStore {
  readonly #free = new Map<number, ArrayBufferLike[]>(CAPACITIES.map((capacity) => [capacity, []]));
  readonly #allocate: (bytes: number) => ArrayBufferLike;
  #kept = 0;
  #inUse = 0;

  constructor(allocate: (bytes: number) => ArrayBufferLike) {
    this.#allocate = allocate;
  }

  get inUse(): number {
    return this.#inUse;
  }

  acquire(capacity: number = SEGMENT_CAPACITY): Segment {
    const size = CAPACITIES.find((size) => size >= capacity) ?? capacity;
    const kept = this.#free.get(size)?.pop();
    if (kept !== undefined) this.#kept -= size;
    this.#inUse += size;
    return new PinnedSegment(kept ?? this.#allocate(size), (buffer) => this.#takeBack(buffer));
  }

  clear(): void {
    for (const list of this.#free.values()) list.length = 0;
    this.#kept = 0;
  }

  #takeBack(buffer: ArrayBufferLike): void {
    this.#inUse -= buffer.byteLength;
    const list = this.#free.get(buffer.byteLength);
    if (list === undefined || this.#kept + buffer.byteLength > KEPT_BYTES) return;
    list.push(buffer);
    this.#kept += buffer.byteLength;
  }
}

class PinnedSegment implements Segment {
  readonly buffer: ArrayBufferLike;
  readonly bytes: Uint8Array;
  readonly #giveBack: (buffer: ArrayBufferLike) => void;
  #pins = 0;
  #released = false;
  #gone = false;

  constructor(buffer: ArrayBufferLike, giveBack: (buffer: ArrayBufferLike) => void) {
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

  share(): Segment {
    return new SharedSegment(this);
  }

  #settle(): void {
    if (!this.#released || this.#pins > 0 || this.#gone) return;
    this.#gone = true;
    this.#giveBack(this.buffer);
  }
}

/** A second hold of a segment. */
class SharedSegment implements Segment {
  readonly buffer: ArrayBufferLike;
  readonly bytes: Uint8Array;
  readonly #first: Segment;
  #released = false;

  constructor(first: Segment) {
    this.buffer = first.buffer;
    this.bytes = first.bytes;
    this.#first = first;
    first.pin();
  }

  pin(): void {
    this.#first.pin();
  }

  unpin(): void {
    this.#first.unpin();
  }

  release(): void {
    if (!this.#released) this.#first.unpin();
    this.#released = true;
  }

  share(): Segment {
    return this.#first.share();
  }
}
