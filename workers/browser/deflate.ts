// Raw deflate by the browser's streams. Each piece of a result is dropped once it has been copied.
import { joined } from "../../common/memory.ts";
import type { Engine } from "../jobs/engine.ts";

/** Bytes deflated at a time: well below a millisecond. */
const DEFLATE_BYTES = 16_384;

/** Compressed bytes inflated at a time: of a bomb, 4 kB inflate to 4 MB at most before the length is seen. */
const INFLATE_BYTES = 4_096;

type Calls = Pick<Engine, "duePause" | "drop">;

/** Deflates bytes. */
export async function deflate(bytes: Uint8Array<ArrayBuffer>, engine: Calls): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  await pipe(bytes, DEFLATE_BYTES, new CompressionStream("deflate-raw"), engine, (part) => void parts.push(part));
  const whole = joined(parts);
  for (const { buffer } of parts) engine.drop(buffer);
  return whole;
}

/**
 * Inflates to exactly `length` bytes. Rejects if there are more or fewer, or if bytes follow the compressed stream: the browser's stream
 * refuses these.
 */
export async function inflate(
  bytes: Uint8Array<ArrayBuffer>,
  length: number,
  engine: Calls,
): Promise<Uint8Array<ArrayBuffer>> {
  const plain = new Uint8Array(length);
  let filled = 0;
  await pipe(bytes, INFLATE_BYTES, new DecompressionStream("deflate-raw"), engine, (part) => {
    if (filled + part.length > length) throw new RangeError(`Inflates to more than ${length} bytes`);
    plain.set(part, filled);
    filled += part.length;
    if (part.length === part.buffer.byteLength) engine.drop(part.buffer); // else other parts may be in it
  });
  if (filled !== length) throw new RangeError(`Inflates to ${filled} bytes, not ${length}`);
  return plain;
}

/** Sends bytes through a stream, `step` at a time, and takes each part of the result. Rejects if the stream or `take` fails. */
async function pipe(
  bytes: Uint8Array<ArrayBuffer>,
  step: number,
  { readable, writable }: CompressionStream | DecompressionStream,
  engine: Calls,
  take: (part: Uint8Array<ArrayBuffer>) => void,
): Promise<void> {
  const fed = feed(bytes, step, writable.getWriter(), engine);
  fed.catch(() => {}); // awaited at the end; the reader fails first
  const reader = readable.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) take(part.value as Uint8Array<ArrayBuffer>);
    await fed;
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    throw error;
  }
}

async function feed(
  bytes: Uint8Array<ArrayBuffer>,
  step: number,
  writer: WritableStreamDefaultWriter<BufferSource>,
  engine: Calls,
): Promise<void> {
  try {
    for (let at = 0; at < bytes.length; at += step) {
      await engine.duePause();
      await writer.write(bytes.subarray(at, at + step));
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {}); // the reader fails with it
    throw error;
  }
}
