import { INITIAL_WINDOW } from "./congestion.ts";

/** Longest transmission time of an enlarged chunk, in ms. */
const LARGE_CHUNK_MS = 8;

/** Longest transmission time of a chunk above the smallest, in ms: each is stored and forwarded on its way, and holds up messages. */
const SLOW_CHUNK_MS = 15;

/** Smallest chunk on a slow line, and the first ones on any, in bytes: SCTP's slow start takes several round trips for a larger one. */
export const SMALLEST_CHUNK = 4_500;

/** Bounds of a chunk's size: as requested, and as the transport allows. If they are equal, all chunks have that size. */
export interface ChunkBounds {
  readonly chunkSize: number;
  readonly largestChunk: number;
}

/**
 * Size of the next chunk of a bulk frame, in bytes. A larger chunk costs less, but delays urgent packets on a slow line. `rate`: the line's,
 * in bytes per ms, 0 if not measured yet; `sent`: bytes sent before it.
 */
export function chunkBytes({ chunkSize, largestChunk }: ChunkBounds, rate: number, sent: number): number {
  if (largestChunk <= chunkSize) return chunkSize;
  if (rate === 0) return sent < 2 * INITIAL_WINDOW ? SMALLEST_CHUNK : chunkSize; // the first window, and chunks cut meanwhile
  if (SLOW_CHUNK_MS * rate < chunkSize) return Math.max(SMALLEST_CHUNK, Math.floor(SLOW_CHUNK_MS * rate));
  return Math.min(largestChunk, Math.max(chunkSize, Math.floor(LARGE_CHUNK_MS * rate)));
}
