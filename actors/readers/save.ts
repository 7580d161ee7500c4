import { systemClock } from "../../common/clock.ts";
import type { SaveTarget } from "../../protocol/files.ts";
import type { SaveOptions } from "../../protocol/options.ts";
import { ProgressMeter } from "../../protocol/progress.ts";
import { SEGMENT_HEADROOM } from "../../protocol/constants.ts";
import type { FileRef } from "../../protocol/file_ref.ts";
import type { Segment } from "../../workers/segments.ts";
import { tell } from "../common/callbacks.ts";
import type { ReceivedBlock } from "../incoming/block_queue.ts";
import type { IncomingStream } from "../incoming/stream.ts";
import { copied, DecodePipeline } from "./decode_pipeline.ts";

/** Longest wait of a failed save for the removal of its part file, in ms: a hanging file system takes longer. */
const CLEAR_WAIT = 250;

/**
 * Writes a stream to a file by the codec's workers, and closes the stream once the file has its final name. Rejects soon after the stream
 * has failed, even while the file system hangs. The part file is then removed once the file system answers.
 */
export async function saveStream(
  stream: IncomingStream,
  name: string,
  target: SaveTarget,
  options: SaveOptions,
): Promise<{ path: string; bytes: number }> {
  const { saves } = stream.context;
  const saving = save(stream, name, target, options);
  saves.add(saving);
  saving.catch(() => {}).finally(() => saves.delete(saving));
  return await unlessHung(stream, saving);
}

/** Settles as the work does, or rejects with the stream's error if the work takes CLEAR_WAIT longer than the stream. */
function unlessHung<T>(stream: IncomingStream, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: unknown;
    let isOver = false;
    const over = (): void => {
      isOver = true;
      systemClock.clearTimeout(timer);
    };
    // The system clock, as the file system takes real time.
    stream.closed.catch((error: unknown) => {
      if (!isOver) timer = systemClock.setTimeout(() => reject(error), CLEAR_WAIT);
    });
    work.finally(over).then(resolve, reject);
  });
}

async function save(
  stream: IncomingStream,
  name: string,
  target: SaveTarget,
  { overwrite = false, onProgress }: SaveOptions,
): Promise<{ path: string; bytes: number }> {
  const { clock, codec, files, limits } = stream.context;
  const { info } = stream.description;
  const byWorkers = codec.hasWorkers === true;
  const part = await files.createPartFile(target, {
    name,
    mimeType: info.mimeType,
    overwrite,
    nameBytes: limits.nameBytes,
    byWorkers,
  });
  const meter = new ProgressMeter(info.size, clock.now());
  const pipeline = new DecodePipeline(stream, (block, offset) => writeBlock(stream, part.ref, block, offset));
  try {
    while (await pipeline.next() !== undefined) {
      const progress = onProgress === undefined ? undefined : meter.note(stream.content.consumed, clock.now());
      if (progress !== undefined) reportProgress(progress);
    }
    stream.closed.catch(() => part.discard()).catch(() => {}); // awaited below
    const path = await part.commit(stream.content.consumed);
    reportProgress(meter.finish(stream.content.consumed, clock.now()));
    stream.actor.send({ type: "stream.consumed" });
    return { path, bytes: stream.content.consumed };
  } finally {
    await pipeline.abandon();
    await part.discard();
  }

  function reportProgress(progress: Parameters<NonNullable<SaveOptions["onProgress"]>>[0]): void {
    const { streamId, topic, from: identity } = stream;
    tell(() => onProgress?.(progress), (error) => stream.context.report(error, { streamId, topic, identity }));
  }
}

async function writeBlock(stream: IncomingStream, file: FileRef, block: ReceivedBlock, offset: number): Promise<void> {
  const { codec } = stream.context;
  const owner = stream.from;
  const how = block.compressed === undefined ? { owner } : { compressed: block.compressed, owner };
  if (block.segment !== undefined) return await write(block.segment, SEGMENT_HEADROOM, block.payload);
  const segment = copied(codec.segments, block.memory);
  try {
    await write(segment, SEGMENT_HEADROOM, block.payload);
  } finally {
    segment.release();
  }

  async function write(from: Segment, start: number, length: number): Promise<void> {
    await codec.writeFile(file, offset, { segment: from, start, end: start + length }, block.digest, how);
  }
}
