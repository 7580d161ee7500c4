import { BLOCK_OVERHEAD, type StreamMemory } from "../memory_account.ts";

/** Outcome of a chunk: delivered or held, a repeat, a forgery, or too far ahead. */
export type PlaceResult = "taken" | "known" | "corrupt" | "too-far";

/** Number of chunks whose repeats can be told from forgeries. */
const REMEMBERED = 256;

/** Shared array of all empty chunks: an array for each takes ten times its charge. */
const EMPTY = new Uint8Array(0);

/** Content bytes in a fingerprint. */
const SAMPLES = 64;

/**
 * Puts chunks in order of their indices. A repeat of a chunk is ignored, a different chunk under its index is "corrupt". Repeats of held
 * chunks and of the last 256 are compared by length and a sample of bytes; the digest covers the rest.
 */
export class Reassembler {
  readonly #deliver: (content: Uint8Array) => boolean;
  readonly #memory: StreamMemory | undefined;
  readonly #held = new Map<number, Uint8Array>();
  readonly #prints: number[] = []; // a ring; most streams have a chunk or two
  #next = 0;
  #heldBytes = 0;

  /** `deliver` gets contents in order, copies what it keeps, and returns false to stop. Held chunks are charged to `memory`. */
  constructor(deliver: (content: Uint8Array) => boolean, memory?: StreamMemory) {
    this.#deliver = deliver;
    this.#memory = memory;
  }

  /** Index of the first chunk that has not come. */
  get next(): number {
    return this.#next;
  }

  /** Whether chunks are held behind one that has not come. */
  get gap(): boolean {
    return this.#held.size > 0;
  }

  /** Bytes held behind a gap. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Takes a chunk. An early one is held, if `room` bytes suffice for all held chunks. */
  place(index: number, content: Uint8Array, room: number): PlaceResult {
    const print = fingerprint(content);
    if (index < this.#next) {
      const known = this.#next - index > REMEMBERED || this.#prints[index % REMEMBERED] === print;
      return known ? "known" : "corrupt";
    }
    if (index > this.#next) return this.#hold(index, content, print, room);
    if (!this.#take(content, print)) return "corrupt";
    while (this.#held.size > 0) {
      const held = this.#held.get(this.#next);
      if (held === undefined) break;
      this.#held.delete(this.#next);
      this.#heldBytes -= held.length;
      this.#memory?.free(held.length + BLOCK_OVERHEAD);
      if (!this.#take(held, fingerprint(held))) return "corrupt";
    }
    return "taken";
  }

  /** Counts a chunk that is due without its content; false if another is due. */
  pass(index: number): boolean {
    if (index !== this.#next || this.gap) return false;
    this.#prints[index % REMEMBERED] = 0;
    this.#next++;
    return true;
  }

  /** Drops held chunks. */
  clear(): void {
    this.#memory?.free(this.#heldBytes + this.#held.size * BLOCK_OVERHEAD);
    this.#held.clear();
    this.#heldBytes = 0;
  }

  #take(content: Uint8Array, print: number): boolean {
    this.#prints[this.#next % REMEMBERED] = print;
    this.#next++;
    return this.#deliver(content);
  }

  #hold(index: number, content: Uint8Array, print: number, room: number): PlaceResult {
    const held = this.#held.get(index);
    if (held !== undefined) return fingerprint(held) === print ? "known" : "corrupt";
    // The first term bounds empty chunks, which cost memory too.
    if (this.#held.size >= REMEMBERED * 16 || this.#heldBytes + content.length > room) return "too-far";
    if (this.#memory?.reserve(content.length + BLOCK_OVERHEAD) === false) return "too-far";
    this.#held.set(index, content.length === 0 ? EMPTY : new Uint8Array(content));
    this.#heldBytes += content.length;
    return "taken";
  }
}

/** FNV-1a over a chunk's length and some of its bytes. */
function fingerprint(content: Uint8Array): number {
  const { length } = content;
  const step = length <= SAMPLES ? 1 : Math.floor(length / SAMPLES);
  let hash = 0x811c9dc5 ^ length;
  for (let at = 0; at < length; at += step) hash = Math.imul(hash ^ (content[at] ?? 0), 0x01000193);
  return hash >>> 0;
}
