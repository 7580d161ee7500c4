/**
 * Where each chunk of `bytes` from `start` to `end` ends. Chunks hold `chunkSize` bytes at most. With `utf8` they end between code
 * points: a chunk is smaller where one would be split, and larger only where a chunk could not hold even one. Bytes that are not
 * UTF-8 are cut all the same, anywhere.
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

/** The last edge between code points after `from` and not after `wanted`, or the first after it if there is none. */
function codePointEdge(bytes: Uint8Array, from: number, wanted: number, end: number): number {
  for (let edge = wanted; edge > from && edge >= wanted - 3; edge--) {
    if (!isContinuation(bytes[edge])) return edge;
  }
  if (wanted - from > 3) return wanted; // four continuation bytes in a row: not UTF-8, there is nothing to keep whole
  const last = Math.min(from + 4, end);
  let edge = wanted + 1;
  while (edge < last && isContinuation(bytes[edge])) edge++;
  return edge;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
