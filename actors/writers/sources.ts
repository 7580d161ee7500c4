// Sources of text and bytes for `sendText` and `sendBytes`: arrays, Blobs, web streams, iterables.
import { inBrackets, StreamError } from "../../errors.ts";
import { SEGMENT_BYTES } from "../../protocol/constants.ts";
import { type Bytes, isAsyncIterable, isIterable, isReadableStream } from "../../common/realms.ts";
import { tell } from "../common/callbacks.ts";

/** Bytes in sequential parts. */
export type BytesInParts = ReadableStream<Bytes> | AsyncIterable<Bytes> | Iterable<Bytes>;

/** Data for `sendBytes`: an ArrayBuffer or a view of one, or a source of these. Objects of other realms are accepted. */
export type ByteSource = Bytes | Blob | BytesInParts;

/** Text in sequential parts, as a model or another stream's reader gives them. */
export type TextInParts = ReadableStream<string> | AsyncIterable<string>;

/** Text for `sendText`: whole, or in parts that are sent as they come. Objects of other realms are accepted. */
export type TextSource = string | TextInParts;

/** Ends a source whose stream has failed. Not awaited: a generator ends only after its present value. */
export function endSource(values: AsyncIterator<unknown, unknown> | undefined): void {
  tell(() => values?.return?.(), () => {});
}

/** Ends a source of a stream that cannot begin. */
export function dismissSource(source: unknown): void {
  if (!isReadableStream(source) && !isAsyncIterable(source)) return;
  tell(() => isReadableStream(source) ? source.cancel() : source[Symbol.asyncIterator]().return?.(), () => {});
}

/** Iterates a source. Throws "invalid-argument" for a web stream that another reads, "aborted" if the source fails. */
export function iterate<T>(
  source: ReadableStream<T> | AsyncIterable<T> | Iterable<T>,
  action: string,
): AsyncIterator<T, unknown> {
  if (!isReadableStream(source)) {
    try {
      return isAsyncIterable(source) ? source[Symbol.asyncIterator]() : inTurns(source);
    } catch (cause) {
      throw new StreamError("aborted", `Cannot ${action} as the source failed${inBrackets(cause)}`, { cause });
    }
  }
  if (source.locked) {
    throw new StreamError("invalid-argument", `Cannot ${action} as the stream is locked: another reads it`);
  }
  const reader: ReadableStreamDefaultReader<T> = source.getReader(); // its iterator could not be ended during a wait
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
function inTurns<T>(source: Iterable<T>): AsyncIterator<T, unknown> {
  const values: Iterator<T, unknown> = source[Symbol.iterator]();
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

/** Whether a value is a source of text in parts: a text itself is none. */
export function isTextInParts(value: unknown): value is TextInParts {
  return isReadableStream(value) || isAsyncIterable(value);
}
