// A byte stream of the web's own kind over a received stream: its bytes are copied once, into the view of a BYOB reader if there is one.
import { DESTINATION_FAILED, reasonText } from "../common/callbacks.ts";
import type { ReceivedBlock } from "../incoming/block_queue.ts";
import type { IncomingStream } from "../incoming/stream.ts";
import { checkedInPlace, DecodePipeline, extracted } from "./decode_pipeline.ts";

/** Calls of a byte source on its reader. */
export interface ByteSourceHooks {
  /** Cancels the stream. */
  cancel(reason: string | undefined): Promise<void>;
  /** Error for the consumer, as the stream has failed or must. */
  failed(error: unknown): Error;
}

/** Opens the web stream of a stream that its reader has claimed. */
export function openByteStream(stream: IncomingStream, hooks: ByteSourceHooks): ReadableStream<Uint8Array> {
  const pipeline = new DecodePipeline(stream, (block) => checkedBytes(stream, block));
  /** Bytes of the first block that were read. */
  let taken = 0;

  async function pull(controller: ReadableByteStreamController): Promise<void> {
    try {
      const next = await pipeline.peek();
      const view = controller.byobRequest?.view as Uint8Array<ArrayBuffer> | null | undefined;
      if (next === undefined) {
        stream.actor.send({ type: "stream.consumed" });
        controller.close();
        controller.byobRequest?.respond(0); // returns the view of a BYOB reader
        return;
      }
      const rest = taken === 0 ? next.result : next.result.subarray(taken);
      if (view === undefined || view === null) controller.enqueue(own(rest, next.block) as Uint8Array<ArrayBuffer>);
      else {
        const part = rest.subarray(0, view.byteLength);
        new Uint8Array(view.buffer, view.byteOffset, part.length).set(part);
        controller.byobRequest?.respond(part.length);
        taken += part.length;
        if (part.length < rest.length) return;
      }
      taken = 0;
      pipeline.consume();
    } catch (error) {
      await pipeline.abandon();
      throw hooks.failed(error);
    }
  }

  async function cancel(reason: unknown): Promise<void> {
    await hooks.cancel(reasonText(reason, DESTINATION_FAILED));
    await pipeline.abandon();
  }

  return new ReadableStream({ type: "bytes", pull, cancel });
}

/** Checks a block where its bytes are; a compressed or small one is decoded into an array. */
function checkedBytes(stream: IncomingStream, block: ReceivedBlock): Uint8Array | Promise<Uint8Array> {
  const { segment, compressed, memory } = block;
  if (segment === undefined || compressed !== undefined) return extracted(stream, block);
  return checkedInPlace(stream, block)?.then(() => memory) ?? memory;
}

/** The bytes in an array that may be given away, memory included: those in a segment are copied. */
function own(bytes: Uint8Array, { segment, compressed }: ReceivedBlock): Uint8Array {
  return segment !== undefined && compressed === undefined ? bytes.slice() : bytes;
}
