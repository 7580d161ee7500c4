import { StreamError } from "../../errors.ts";
import type { FileRef } from "../../protocol/file_ref.ts";
import { SEGMENT_BYTES, SEGMENT_HEADROOM } from "../../protocol/constants.ts";
import type { EncodedSegment } from "../../workers/codec.ts";
import type { OutgoingStream } from "../outgoing/stream.ts";

/** Queues a file of a known size, segment by segment; workers read it. */
export async function produceFile(stream: OutgoingStream, file: FileRef, size: number): Promise<void> {
  const { codec, chunkSize } = stream.context;
  const capacity = stream.framed ? stream.spec.frameBytes : SEGMENT_BYTES;
  // An empty file is read once, too: its size is a claim of the file system.
  for (let position = 0; position === 0 || position < size; position += capacity) {
    await stream.queue.whenWritable();
    const length = Math.min(capacity, size - position);
    const segment = codec.segments.acquire(SEGMENT_HEADROOM + length);
    const encoded = read(position, length, segment);
    encoded.catch(() => {}); // the pump rethrows it at this segment
    stream.queue.push({ memory: segment.bytes, segment, start: SEGMENT_HEADROOM, encoded, weight: length });
  }

  async function read(
    position: number,
    length: number,
    segment: ReturnType<typeof codec.segments.acquire>,
  ): Promise<EncodedSegment> {
    const how = stream.framed ? stream.compressionOptions : { chunkSize, utf8: false };
    const encoded = await codec.readFile(file, { position, length }, { segment, start: SEGMENT_HEADROOM }, how);
    if (encoded.bytes === length) return encoded;
    const message = `Cannot send the file as it became shorter meanwhile: path is "${file.path}"`;
    throw new StreamError("file-error", message, { streamId: stream.streamId });
  }
}
