// Bytes in one array, and in memory that threads share: browsers give that only to isolated pages, and most of their functions do not take it.

/** Copies parts into one array. */
export function joined(parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Bytes in memory that no thread shares: the same array, or a copy. */
export function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return isShared(bytes) ? new Uint8Array(bytes) : bytes as Uint8Array<ArrayBuffer>;
}

/** Whether threads share an array's memory. */
export function isShared(bytes: Uint8Array): boolean {
  return typeof SharedArrayBuffer !== "undefined" && bytes.buffer instanceof SharedArrayBuffer;
}
