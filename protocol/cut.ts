// Where a run of bytes, or a text, may be divided.

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

/** Where a piece of `text` from `from` on ends that has `units` UTF-16 units at most, two at least, and splits no surrogate pair. */
export function cutText(text: string, from: number, units: number): number {
  const end = from + Math.max(units, 2);
  if (end >= text.length) return text.length;
  return isHigh(text.charCodeAt(end - 1)) && isLow(text.charCodeAt(end)) ? end - 1 : end;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
