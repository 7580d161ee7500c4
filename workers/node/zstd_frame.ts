/** Lengths of the dictionary id and content size, in bytes, by their flags in the frame header descriptor (RFC 8878, 3.1.1.1). */
const DICTIONARY_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];

/** Block type RLE_Block: one byte, repeated. */
const RUN_LENGTH_BLOCK = 1;

/** Index after the first zstd frame, by the sizes of its blocks; beyond the bytes if the frame is cut off. */
export function zstdEnd(bytes: Uint8Array): number {
  const descriptor = bytes[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeBytes = CONTENT_SIZE_BYTES[descriptor >> 6] ?? 0;
  let at = 5 + (isSingleSegment ? 0 : 1) + (DICTIONARY_BYTES[descriptor & 3] ?? 0);
  at += sizeBytes === 0 && isSingleSegment ? 1 : sizeBytes;
  for (let isLast = false; !isLast && at < bytes.length;) {
    const header = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
    isLast = (header & 1) !== 0;
    at += 3 + (((header >> 1) & 3) === RUN_LENGTH_BLOCK ? 1 : header >> 3);
  }
  const hasChecksum = (descriptor & 4) !== 0;
  return at + (hasChecksum ? 4 : 0);
}
