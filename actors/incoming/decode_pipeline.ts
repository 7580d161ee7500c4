import { StreamError } from "../../errors.ts";
import { SEGMENT_HEADROOM } from "../../protocol/constants.ts";
import { overdue, turn } from "../../event_loop.ts";
import type { Piece } from "./receive_buffer.ts";
import type { Codec, Span, UnpackOptions } from "../../workers/codec.ts";
import type { Segment, SegmentStore } from "../../workers/segments.ts";
import type { IncomingStream } from "./stream.ts";

/** Pieces that are checked or written at once: with two workers, each has one at hand while another is at work. */
const DEPTH = 8;

/** A piece at work. */
interface Job<T> {
  readonly piece: Piece;
  readonly result: T | Promise<T>;
}

/** Takes a stream's pieces in their order, with a few of them at work at once. */
export class Intake<T> {
  readonly #stream: IncomingStream;
  readonly #work: (piece: Piece, offset: number) => T | Promise<T>;
  readonly #jobs: Job<T>[] = [];
  #offset: number;

  /** `work` checks a piece, and does what is to be done with it; `offset` is where it stands in the stream. */
  constructor(stream: IncomingStream, work: (piece: Piece, offset: number) => T | Promise<T>) {
    this.#stream = stream;
    this.#work = work;
    this.#offset = stream.taken;
  }

  /** The next piece's result; undefined when all were taken and the stream is whole. Throws what the stream failed with. */
  async next(): Promise<{ result: T } | undefined> {
    const stream = this.#stream;
    for (;;) {
      if (stream.error !== undefined) throw stream.error;
      this.#fill();
      const job = this.#jobs[0];
      if (job !== undefined) {
        const result = job.result instanceof Promise ? await job.result : job.result;
        this.#jobs.shift();
        stream.took(job.piece);
        if (overdue()) await turn();
        return { result };
      }
      if (stream.complete) {
        stream.check();
        return undefined;
      }
      await stream.arrival();
    }
  }

  /** Gives back what is at work; its failures are nobody's concern any more. */
  async abandon(): Promise<void> {
    for (const { piece, result } of this.#jobs.splice(0)) {
      if (result instanceof Promise) await result.catch(() => {});
      this.#stream.drop(piece);
    }
  }

  #fill(): void {
    while (this.#jobs.length < DEPTH) {
      const piece = this.#stream.poll();
      if (piece === undefined) return;
      const result = this.#work(piece, this.#offset);
      if (result instanceof Promise) result.catch(() => {}); // heard of when its turn comes: it may fail before that
      this.#jobs.push({ piece, result });
      this.#offset += piece.length;
    }
  }
}

/** A small compressed frame comes into a segment only while it is at work. */
export function copied(segments: SegmentStore, memory: Uint8Array): Segment {
  const segment = segments.acquire(SEGMENT_HEADROOM + memory.length);
  segment.bytes.set(memory, SEGMENT_HEADROOM);
  return segment;
}

/** Has the codec check a frame and make what a reader gets of it; undefined of a plain stream's piece, which is checked with all of it. */
export function checked<T>(
  { context, streamId, from: identity }: IncomingStream,
  { segment: held, memory, digest, payload, packed }: Piece,
  make: (codec: Codec, span: Span, digest: Uint8Array, options: UnpackOptions) => Promise<T>,
): Promise<T> | undefined {
  if (digest === undefined) return undefined;
  const segment = held ?? copied(context.codec.segments, memory);
  const span = { segment, start: SEGMENT_HEADROOM, end: SEGMENT_HEADROOM + payload };
  const made = make(context.codec, span, digest, packed === undefined ? { owner: identity } : { packed, owner: identity });
  return made.finally(() => held ?? segment.release()).catch((cause: unknown) => {
    if (!(cause instanceof StreamError && cause.code === "corrupt")) throw cause;
    const message = `Cannot receive the stream as a frame's bytes are not those that were sent: stream id is "${streamId}"`;
    throw new StreamError("corrupt", message, { streamId, identity, cause });
  });
}
