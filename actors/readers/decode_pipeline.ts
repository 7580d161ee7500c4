import { StreamError } from "../../errors.ts";
import { SEGMENT_HEADROOM } from "../../protocol/constants.ts";
import { shouldYield, yieldToEventLoop } from "../../common/event_loop.ts";
import type { ReceivedBlock } from "../incoming/block_queue.ts";
import type { Codec, DecodeOptions, Span } from "../../workers/codec.ts";
import type { Segment, SegmentStore } from "../../workers/segments.ts";
import type { IncomingStream } from "../incoming/stream.ts";

/** Blocks that are checked or written concurrently, so that each worker has a next one queued. */
const MAX_CONCURRENT_BLOCKS = 8;

/** A block in the codec. */
interface Job<T> {
  readonly block: ReceivedBlock;
  readonly result: T | Promise<T>;
}

/** Decodes a stream's blocks concurrently, and returns them in order. */
export class DecodePipeline<T> {
  readonly #stream: IncomingStream;
  readonly #work: (block: ReceivedBlock, offset: number) => T | Promise<T>;
  readonly #jobs: Job<T>[] = [];
  #offset: number;

  /** `work` checks and uses a block; `offset` is its place in the stream. */
  constructor(stream: IncomingStream, work: (block: ReceivedBlock, offset: number) => T | Promise<T>) {
    this.#stream = stream;
    this.#work = work;
    this.#offset = stream.content.consumed;
  }

  /** Next block's result; undefined at the end of a whole stream. Rejects with the stream's error. */
  async next(): Promise<{ result: T } | undefined> {
    const next = await this.peek();
    if (next !== undefined) this.consume();
    return next;
  }

  /** Next block and its result; the block's memory is kept until `consume`. */
  async peek(): Promise<{ result: T; block: ReceivedBlock } | undefined> {
    const stream = this.#stream;
    if (stream.content.consumed > 0 && shouldYield()) await yieldToEventLoop(); // not after the last block: short streams keep their order
    for (;;) {
      if (stream.error !== undefined) throw stream.error;
      this.#fill();
      const job = this.#jobs[0];
      if (job !== undefined) {
        const result = job.result instanceof Promise ? await job.result : job.result;
        return { result, block: job.block };
      }
      if (stream.complete) {
        stream.check();
        return undefined;
      }
      await stream.arrival();
    }
  }

  /** Frees the block of the last result. */
  consume(): void {
    const job = this.#jobs.shift();
    if (job !== undefined) this.#stream.consume(job.block);
  }

  /** Frees blocks at work, and ignores their failures. */
  async abandon(): Promise<void> {
    for (const { block, result } of this.#jobs.splice(0)) {
      if (result instanceof Promise) await result.catch(() => {});
      this.#stream.content.drop(block);
    }
  }

  /** Starts work on the next blocks; on one only where the work is done at once, so that the work stays within time slices. */
  #fill(): void {
    shouldYield(); // the turn's slice of time begins here at the latest
    while (this.#jobs.length < MAX_CONCURRENT_BLOCKS) {
      const block = this.#stream.content.poll();
      if (block === undefined) return;
      const result = this.#work(block, this.#offset);
      if (result instanceof Promise) result.catch(() => {}); // reported when its turn comes; it may fail before
      this.#jobs.push({ block, result });
      this.#offset += block.length;
      if (!(result instanceof Promise)) return;
    }
  }
}

/** Copies a small compressed frame to a segment while it is decoded. */
export function copied(segments: SegmentStore, memory: Uint8Array): Segment {
  const segment = segments.acquire(SEGMENT_HEADROOM + memory.length);
  segment.bytes.set(memory, SEGMENT_HEADROOM);
  return segment;
}

/** Bytes of a block, checked, in an array that is the reader's own. */
export function extracted(stream: IncomingStream, block: ReceivedBlock): Uint8Array | Promise<Uint8Array> {
  return decodedByCodec(stream, block, (codec, span, digest, how) => codec.extract(span, digest, how)) ?? ownBytes(block);
}

/** Checks the bytes of a block in place; undefined for a block that needs no check of its own. */
export function checkedInPlace(stream: IncomingStream, block: ReceivedBlock): Promise<void> | undefined {
  return decodedByCodec(stream, block, (codec, span, digest, how) => codec.check(span, digest, how));
}

/** The bytes of a block that needs no check, in an array that is the reader's own. */
export function ownBytes({ segment, memory }: ReceivedBlock): Uint8Array {
  return segment === undefined ? memory : memory.slice();
}

/**
 * Checks and decodes a frame by the codec; undefined for a block that needs no check of its own. A plain stream's is checked with the whole
 * stream, a frame in its sender's memory was hashed there.
 */
export function decodedByCodec<T>(
  { context, streamId, from: identity }: IncomingStream,
  { segment: held, memory, digest, payload, compressed }: ReceivedBlock,
  make: (codec: Codec, span: Span, digest: Uint8Array, options: DecodeOptions) => Promise<T>,
): Promise<T> | undefined {
  if (digest === undefined) return undefined;
  const segment = held ?? copied(context.codec.segments, memory);
  const span = { segment, start: SEGMENT_HEADROOM, end: SEGMENT_HEADROOM + payload };
  const made = make(
    context.codec,
    span,
    digest,
    compressed === undefined ? { owner: identity } : { compressed, owner: identity },
  );
  return made.finally(() => held ?? segment.release()).catch((cause: unknown) => {
    if (!(cause instanceof StreamError && cause.code === "corrupt")) throw cause;
    const message = `Cannot receive the stream as a frame's bytes are not those that were sent: stream id is "${streamId}"`;
    throw new StreamError("corrupt", message, { streamId, identity, cause });
  });
}
