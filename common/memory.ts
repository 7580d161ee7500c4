// Shared memory, which browsers give only to isolated pages, and which most of their functions do not take.

/** Bytes in memory that no thread shares: the same array, or a copy. */
export function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return isShared(bytes) ? new Uint8Array(bytes) : bytes as Uint8Array<ArrayBuffer>;
}

/** Whether threads share an array's memory. */
export function isShared(bytes: Uint8Array): boolean {
  return typeof SharedArrayBuffer !== "undefined" && bytes.buffer instanceof SharedArrayBuffer;
}
