import { SEGMENT_HEADROOM } from "../protocol/constants.ts";
import { overdue, turn } from "../turns.ts";
import type { IncomingStream, Piece } from "./incoming_stream.ts";

/** Pieces that are checked or written at once: with two workers, each has one at hand while another is at work. */
const DEPTH = 4;

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
      piece.segment?.release();
    }
  }

  #fill(): void {
    while (this.#jobs.length < DEPTH) {
      const piece = this.#stream.poll();
      if (piece === undefined) return;
      this.#jobs.push({ piece, result: this.#work(piece, this.#offset) });
      this.#offset += piece.length;
    }
  }
}

/** Checks a piece against its digest; a piece of a plain stream is checked with all of it, at the end. */
export function checkPiece(stream: IncomingStream, piece: Piece): Promise<void> | undefined {
  if (piece.segment === undefined || piece.digest === undefined) return undefined; // its memory is its own
  return compare(stream, piece.segment, piece.length, piece.digest);
}

async function compare(stream: IncomingStream, segment: NonNullable<Piece["segment"]>, length: number, digest: Uint8Array): Promise<void> {
  const sliced = await stream.context.codec.slice({ segment, start: SEGMENT_HEADROOM, end: SEGMENT_HEADROOM + length });
  for (let i = 0; i < digest.length; i++) {
    if (sliced.digest[i] !== digest[i]) throw stream.failure("corrupt", "a frame's digest is not that of its bytes");
  }
}
