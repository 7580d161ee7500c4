import { shouldYield, yieldToEventLoop } from "../../common/event_loop.ts";
import type { ReceivedBlock } from "../incoming/block_queue.ts";
import type { IncomingStream } from "../incoming/stream.ts";
import { checkedInPlace, extracted } from "./decode_pipeline.ts";

/**
 * Share of the announced size that must have come before as much is allocated: a claim alone allocates nothing. What has come until then is
 * copied twice. Memory that is not written to takes no pages.
 */
const ALLOCATION_SHARE = 1 / 64;

/** Announced size below which parts are joined, in bytes. */
const LEAST_WHOLE = 1024 * 1024;

/** Bytes of a part of the stream, unless they are in the whole array already. */
interface Part {
  readonly offset: number;
  readonly length: number;
  readonly bytes: Uint8Array | undefined;
}

/** Gathers a stream in one array. With an announced size, the array is allocated once, and frames are copied into it after their check. */
export class ByteGatherer {
  readonly #stream: IncomingStream;
  readonly #size: number | undefined;
  readonly #parts: Part[] = [];
  #whole: Uint8Array | undefined;
  #length = 0;

  constructor(stream: IncomingStream) {
    this.#stream = stream;
    this.#size = stream.description.info.size;
  }

  /** Checks a block at an offset, and copies its bytes. Several blocks may be checked at once. */
  take(block: ReceivedBlock, offset: number): Part | Promise<Part> {
    const { length, segment, compressed } = block;
    const whole = this.#wholeAt(offset);
    if (whole === undefined || segment === undefined || compressed !== undefined) {
      const bytes = extracted(this.#stream, block);
      return bytes instanceof Promise ? bytes.then((own) => ({ offset, length, bytes: own })) : { offset, length, bytes };
    }
    const copy = (): Part => {
      whole.set(block.memory, offset);
      return { offset, length, bytes: undefined };
    };
    return checkedInPlace(this.#stream, block)?.then(copy) ?? copy();
  }

  /** Adds a taken part, in order. Returns the number of bytes so far. */
  add(part: Part): number {
    this.#length += part.length;
    if (part.bytes !== undefined) this.#parts.push(part);
    return this.#length;
  }

  /** Array of all parts, made in time slices. */
  async finish(): Promise<Uint8Array> {
    const [first] = this.#parts;
    if (this.#whole === undefined && this.#parts.length === 1 && first?.bytes !== undefined) return first.bytes;
    const whole = this.#whole ?? new Uint8Array(this.#length);
    for (const { bytes, offset } of this.#parts) {
      if (bytes !== undefined) whole.set(bytes, offset);
      if (shouldYield()) await yieldToEventLoop();
    }
    return whole;
  }

  /** The whole array, once enough has come for it. */
  #wholeAt(offset: number): Uint8Array | undefined {
    const size = this.#size ?? 0;
    if (size >= LEAST_WHOLE && offset >= size * ALLOCATION_SHARE) this.#whole ??= new Uint8Array(size);
    return this.#whole;
  }
}
