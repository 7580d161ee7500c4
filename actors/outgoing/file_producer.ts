import { StreamError } from "../../errors.ts";
import type { FileRef } from "../../protocol/file_ref.ts";
import { SEGMENT_BYTES, SEGMENT_HEADROOM } from "../../protocol/constants.ts";
import type { Sliced } from "../../workers/codec.ts";
import type { OutgoingStream } from "./stream.ts";

/** Puts a file of a known size in a stream's line, segment by segment as there is room; workers read it. */
export async function produceFile(stream: OutgoingStream, file: FileRef, size: number): Promise<void> {
  const { codec, chunkSize } = stream.context;
  const capacity = stream.framed ? stream.spec.frameBytes : SEGMENT_BYTES;
  // An empty file is read once, too: that it is empty is a claim until then.
  for (let position = 0; position === 0 || position < size; position += capacity) {
    await stream.line.room();
    const length = Math.min(capacity, size - position);
    const segment = codec.segments.acquire(SEGMENT_HEADROOM + length);
    const sliced = read(position, length, segment);
    sliced.catch(() => {}); // the pump hears of it when it comes to the parcel
    const release = (): void => segment.release();
    stream.line.push({ memory: segment.bytes, start: SEGMENT_HEADROOM, sliced, weight: length, release });
  }

  async function read(position: number, length: number, segment: ReturnType<typeof codec.segments.acquire>): Promise<Sliced> {
    const how = stream.framed ? stream.preparation : { chunkSize, utf8: false };
    const sliced = await codec.readFile(file, { position, length }, { segment, start: SEGMENT_HEADROOM }, how);
    if (sliced.bytes === length) return sliced;
    const message = `Cannot send the file as it became shorter meanwhile: path is "${file.path}"`;
    throw new StreamError("file-error", message, { streamId: stream.streamId });
  }
}
