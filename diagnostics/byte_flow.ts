import type { ByteStreamWriter } from "../actors/writers/writer.ts";
import { MOST_BYTES } from "./doctor_messages.ts";

/** Bytes of a write. */
const PART = 240_000;

/** Most bytes of one call of `getRandomValues`. */
const MOST_RANDOM = 65_536;

/** Writes bytes that do not compress for some seconds, closes the stream, and resolves with their number. */
export async function writeFor(writer: ByteStreamWriter, seconds: number): Promise<number> {
  const part = new Uint8Array(PART);
  for (let at = 0; at < PART; at += MOST_RANDOM) crypto.getRandomValues(part.subarray(at, Math.min(at + MOST_RANDOM, PART)));
  const until = performance.now() + seconds * 1_000;
  let bytes = 0;
  do {
    await writer.write(part);
    bytes += PART;
  } while (performance.now() < until && bytes < MOST_BYTES);
  await writer.close();
  return bytes;
}

/** Reads a stream to its end. Resolves with the bytes, and the ms from the first to the last. */
export async function drain(parts: AsyncIterable<Uint8Array>): Promise<{ bytes: number; ms: number }> {
  let bytes = 0;
  let first = 0;
  let started: number | undefined;
  for await (const part of parts) {
    bytes += part.length;
    if (started === undefined) first = part.length;
    started ??= performance.now();
  }
  return { bytes: bytes - first, ms: started === undefined ? 0 : performance.now() - started };
}
