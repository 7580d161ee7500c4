import { STREAM_CHUNK_SIZE } from "../constants.ts";

/**
 * Longest piece of a decoded text, in bytes. V8 maps memory for each string over 128 kB and unmaps it later, which takes the time of ten
 * decodings; a piece of UTF-16 is within that.
 */
const PIECE_BYTES = 4 * STREAM_CHUNK_SIZE;

/** Decodes UTF-8 in pieces, which joined are the whole. */
export function decodedPieces(bytes: Uint8Array, decode: (piece: Uint8Array) => string): string[] {
  if (bytes.length <= PIECE_BYTES) return [decode(bytes)];
  let start = 0;
  return cutBytes(bytes, 0, bytes.length, PIECE_BYTES, true).map((end) => {
    const piece = bytes.subarray(start, end);
    start = end;
    return decode(piece);
  });
}

/**
 * Cuts `bytes` from `start` to `end` into chunks of at most `chunkSize` bytes. Returns the index where each chunk ends. With `utf8` chunks
 * end between code points, and exceed `chunkSize` only if they could not hold one. Invalid UTF-8 is cut anywhere.
 */
export function cutBytes(bytes: Uint8Array, start: number, end: number, chunkSize: number, utf8: boolean): number[] {
  const ends: number[] = [];
  let at = start;
  while (at < end) {
    const wanted = Math.min(at + chunkSize, end);
    at = utf8 && wanted < end ? codePointEdge(bytes, at, wanted, end) : wanted;
    ends.push(at);
  }
  return ends;
}

/** Last edge between code points after `from` and up to `wanted`; else the first edge after `wanted`. */
function codePointEdge(bytes: Uint8Array, from: number, wanted: number, end: number): number {
  for (let edge = wanted; edge > from && edge >= wanted - 3; edge--) {
    if (!isContinuation(bytes[edge])) return edge;
  }
  if (wanted - from > 3) return wanted; // four continuation bytes in a row are not UTF-8
  const last = Math.min(from + 4, end);
  let edge = wanted + 1;
  while (edge < last && isContinuation(bytes[edge])) edge++;
  return edge;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
