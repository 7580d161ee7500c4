// Memory that senders have a receiver hold: charged as it is allocated, in bytes with what it really takes. Pure arithmetic.
import { STREAM_CHUNK_SIZE } from "./constants.ts";
import type { Limits } from "./limits.ts";

/** Bytes that a block of memory costs beside its contents: the objects that describe it. */
export const BLOCK_OVERHEAD = 256;

/** Bytes that a text and its key cost beside their units. */
const TEXT_OVERHEAD = 64;

/** Bytes that texts take, two a unit, with what describes each. */
export function textBytes(texts: Readonly<Record<string, string>>): number {
  return Object.entries(texts).reduce((sum, [key, value]) => sum + 2 * (key.length + value.length) + TEXT_OVERHEAD, 0);
}

/** Memory with a bound, part of a larger one with a bound of its own. */
export class MemoryAccount {
  readonly limit: number;
  readonly #whole: MemoryAccount | undefined;
  #held = 0;

  constructor(limit: number, whole?: MemoryAccount) {
    this.limit = limit;
    this.#whole = whole;
  }

  get held(): number {
    return this.#held;
  }

  /** Charges bytes that are about to be allocated; false where they would be too many. */
  reserve(bytes: number): boolean {
    if (this.#held + bytes > this.limit || this.#whole?.reserve(bytes) === false) return false;
    this.#held += bytes;
    return true;
  }

  free(bytes: number): void {
    this.#held -= bytes;
    this.#whole?.free(bytes);
  }
}

/** The memory of one stream: whatever it holds at its end is free. */
export class StreamMemory {
  readonly #account: MemoryAccount;
  #held = 0;
  #isOver = false;

  constructor(account: MemoryAccount) {
    this.#account = account;
  }

  get held(): number {
    return this.#held;
  }

  reserve(bytes: number): boolean {
    if (this.#isOver || !this.#account.reserve(bytes)) return false;
    this.#held += bytes;
    return true;
  }

  free(bytes: number): void {
    if (this.#isOver) return;
    this.#held -= bytes;
    this.#account.free(bytes);
  }

  end(): void {
    this.free(this.#held);
    this.#isOver = true;
  }
}

/** Memory that is held for one sender: of streams with credit, and of streams that it sends as another SDK. */
export interface SenderMemory {
  readonly millrace: MemoryAccount;
  readonly sdk: MemoryAccount;
}

/**
 * The accounts of a receiver: each call makes those of one more sender. A Millrace sender is bounded by twice its credit, as memory for a
 * frame takes up to twice its bytes, and the first chunk of each stream, which is free of credit. Another SDK, which knows no credit, is
 * bounded in all by the bytes of one stream, and an eighth for what describes them.
 */
export function receiverMemory(limits: Limits): () => SenderMemory {
  const { senderWindow, totalWindow, streamsPerSender, streams, foreignQueue } = limits;
  const first = STREAM_CHUNK_SIZE + BLOCK_OVERHEAD;
  const sdkBytes = foreignQueue + foreignQueue / 8 + 64 * 1024;
  const millrace = new MemoryAccount(2 * totalWindow + streams * first);
  const sdk = new MemoryAccount(Math.max(sdkBytes, totalWindow));
  return () => ({
    millrace: new MemoryAccount(2 * senderWindow + streamsPerSender * first, millrace),
    sdk: new MemoryAccount(sdkBytes, sdk),
  });
}
