import { inBrackets, StreamError } from "../../errors.ts";
import { shouldYield, yieldToEventLoop } from "../../common/event_loop.ts";
import { show } from "../../protocol/options.ts";
import { reasonText, SOURCE_FAILED } from "../common/callbacks.ts";
import type { OutgoingStream } from "../outgoing/stream.ts";
import { endSource } from "./sources.ts";
import type { StreamWriter } from "./writer.ts";

/** Writes all values of a source, and closes the stream. Either one's failure ends the other. */
export async function writeSource<T>(
  stream: OutgoingStream,
  writer: StreamWriter<T>,
  values: AsyncIterator<T, unknown>,
): Promise<void> {
  try {
    await writeAll(stream, writer, values);
  } catch (error) {
    const failure = sourceFailure(stream, error);
    endSource(values);
    await writer.abort(reasonText(failure, SOURCE_FAILED));
    throw failure;
  }
  await writer.close();
}

/** Writes the values. A failure of the stream ends this even while the source is silent. */
async function writeAll<T>(stream: OutgoingStream, writer: StreamWriter<T>, values: AsyncIterator<T, unknown>): Promise<void> {
  let fail: (error: unknown) => void = () => {};
  stream.settled.catch((error: unknown) => fail(error));
  const next = (): Promise<IteratorResult<T, unknown>> =>
    new Promise((resolve, reject) => {
      fail = reject;
      if (stream.error !== undefined) throw stream.error; // it has failed between two values
      Promise.resolve(values.next()).then((result) => resolve(checked(result))).catch(reject);
    });
  for (let part = await next(); part.done !== true; part = await next()) {
    await writer.write(part.value);
    if (shouldYield()) await yieldToEventLoop(); // a source may have each value at once
  }
}

/** Throws unless an iterator's result is one. */
function checked<R>(result: R): R {
  if (typeof result === "object" && result !== null) return result;
  throw new TypeError(`an iterator's result must be an object: got ${show(result)}`);
}

/** Creates the error of a stream whose source failed. A StreamError, as of another stream's reader, is passed on. */
export function sourceFailure({ streamId }: OutgoingStream, cause: unknown): StreamError {
  if (cause instanceof StreamError) return cause;
  return new StreamError(
    "aborted",
    `Cannot go on with the stream as its source failed${inBrackets(cause)}: stream id is "${streamId}"`,
    { cause, streamId },
  );
}
