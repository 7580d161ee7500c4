/** Compressed bytes fed at a time: of a bomb, 4 kB inflate to 4 MB at most before the length is seen. */
const FEED_BYTES = 4_096;

/**
 * Inflates raw deflate to exactly `length` bytes. Rejects if there are more or fewer, or if bytes follow the compressed stream: the
 * browser's stream refuses these.
 */
export async function inflate(bytes: Uint8Array<ArrayBuffer>, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const { readable, writable } = new DecompressionStream("deflate-raw");
  const fed = feed(bytes, writable.getWriter());
  fed.catch(() => {}); // awaited at the end; the reader fails first
  const plain = new Uint8Array(length);
  let filled = 0;
  const reader = readable.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (filled + part.value.length > length) throw new RangeError(`Inflates to more than ${length} bytes`);
      plain.set(part.value, filled);
      filled += part.value.length;
    }
    await fed;
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    throw error;
  }
  if (filled !== length) throw new RangeError(`Inflates to ${filled} bytes, not ${length}`);
  return plain;
}

async function feed(bytes: Uint8Array<ArrayBuffer>, writer: WritableStreamDefaultWriter<BufferSource>): Promise<void> {
  for (let at = 0; at < bytes.length; at += FEED_BYTES) await writer.write(bytes.subarray(at, at + FEED_BYTES));
  await writer.close();
}
