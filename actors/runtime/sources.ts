// Sources of bytes for `sendBytes`: arrays, Blobs, web streams, iterables.
import { SEGMENT_BYTES } from "../../protocol/constants.ts";
import { type Bytes, isAsyncIterable, isIterable, isReadableStream } from "../../common/realms.ts";
import { tell } from "../common/callbacks.ts";

/** Bytes in sequential parts. */
export type BytesInParts = ReadableStream<Bytes> | AsyncIterable<Bytes> | Iterable<Bytes>;

/** Data for `sendBytes`: an ArrayBuffer or a view of one, or a source of these. Objects of other realms are accepted. */
export type ByteSource = Bytes | Blob | BytesInParts;

/** Ends a source whose stream has failed. Not awaited: a generator ends only after its present value. */
export function endSource(values: AsyncIterator<Bytes, unknown> | undefined): void {
  tell(() => values?.return?.(), () => {});
}

/** Iterates a source. */
export function iterate(source: BytesInParts): AsyncIterator<Bytes, unknown> {
  if (!isReadableStream(source)) return isAsyncIterable(source) ? source[Symbol.asyncIterator]() : inTurns(source);
  const reader: ReadableStreamDefaultReader<Bytes> = source.getReader(); // its iterator could not be ended during a wait
  return {
    next: async () => {
      const { done, value } = await reader.read();
      return done ? { done, value: undefined } : { done, value };
    },
    return: async () => {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}

/** Makes an iterator asynchronous. Reads no part ahead. */
function inTurns(source: Iterable<Bytes>): AsyncIterator<Bytes, unknown> {
  const values: Iterator<Bytes, unknown> = source[Symbol.iterator]();
  return {
    next: () => new Promise((resolve) => resolve(values.next())),
    return: () => new Promise((resolve) => resolve(values.return?.() ?? { done: true, value: undefined })),
  };
}

/** Reads a Blob in parts of a segment. */
export async function* blobParts(blob: Blob): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < blob.size; at += SEGMENT_BYTES) {
    yield new Uint8Array(await blob.slice(at, at + SEGMENT_BYTES).arrayBuffer());
  }
}

/** Whether a value is a source of parts. */
export function isInParts(value: unknown): value is BytesInParts {
  return isReadableStream(value) || isAsyncIterable(value) || isIterable(value);
}
