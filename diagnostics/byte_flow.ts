import type { ByteStreamReader } from "../actors/readers/reader.ts";
import type { ByteStreamWriter } from "../actors/writers/writer.ts";
import { StreamError } from "../errors.ts";
import { MOST_BYTES, MOST_SECONDS } from "./doctor_messages.ts";

/** Bytes of a write. */
const PART = 240_000;

/** Most bytes of one call of `getRandomValues`. */
const MOST_RANDOM = 65_536;

/** Multiple of the asked seconds that a count waits for a second part, and least ms: on a slow line parts come seldom. */
const PATIENCE = 4;
const PATIENCE_MS = 2_000;

/** Interval of looks for that part, in ms. */
const LOOK_MS = 50;

/** Bytes that came after a stream's first part, and the ms from that one to the last. */
export interface ByteCount {
  readonly bytes: number;
  readonly ms: number;
}

/** Writes bytes that do not compress until the receiver, who counts them for some seconds, cancels the stream. */
export async function writeUntilCancelled(writer: ByteStreamWriter): Promise<void> {
  const part = new Uint8Array(PART);
  for (let at = 0; at < PART; at += MOST_RANDOM) crypto.getRandomValues(part.subarray(at, Math.min(at + MOST_RANDOM, PART)));
  const until = performance.now() + (PATIENCE + 1) * MOST_SECONDS * 1_000;
  try {
    for (let bytes = 0; performance.now() < until && bytes < MOST_BYTES; bytes += PART) await writer.write(part);
    await writer.close();
  } catch (error) {
    if (!(error instanceof StreamError) || error.code !== "cancelled") throw error;
  }
}

/**
 * Counts the bytes of a stream for some seconds from its first part on, then cancels it: what still waits at the sender need not come. Ends
 * likewise when the sender ends the stream. Never rejects.
 */
export async function countFor(reader: ByteStreamReader, seconds: number): Promise<ByteCount> {
  let [parts, bytes, first, last] = [0, 0, 0, 0];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const asked = seconds * 1_000;
  const look = (): void => {
    const passed = performance.now() - first;
    const isDone = passed >= asked && (parts > 1 || passed >= Math.max(PATIENCE * asked, PATIENCE_MS));
    if (isDone) void reader.cancel("it was measured").catch(() => {});
    else timer = setTimeout(look, Math.max(LOOK_MS, asked - passed));
  };
  try {
    for await (const part of reader) {
      last = performance.now();
      if (parts++ > 0) bytes += part.length;
      else {
        first = last;
        look();
      }
    }
  } catch {
    // cancelled above, or lost: the bytes so far count
  } finally {
    clearTimeout(timer);
  }
  return { bytes, ms: last - first };
}
