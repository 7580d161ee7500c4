// Accounts of the memory that senders make a receiver hold, charged on allocation, overhead included. Pure arithmetic, in bytes.
import { STREAM_CHUNK_SIZE } from "./constants.ts";
import type { Limits } from "./limits.ts";

/** Overhead of a block of memory, in bytes: the objects that describe it. */
export const BLOCK_OVERHEAD = 256;

/** Overhead of a text and its key, in bytes. */
const TEXT_OVERHEAD = 64;

/** Memory of texts in bytes: two a UTF-16 unit, and the overhead of each. */
export function textBytes(texts: Readonly<Record<string, string>>): number {
  return Object.entries(texts).reduce((sum, [key, value]) => sum + 2 * (key.length + value.length) + TEXT_OVERHEAD, 0);
}

/** Bounded account of memory, part of a larger bounded account. */
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

  /** Charges bytes that are about to be allocated; false if they exceed the bound. */
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

/** Memory of one stream. Its end frees all that is still charged. */
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

/** Accounts of one sender: for streams with credit, and for streams sent as another SDK. */
export interface SenderMemory {
  readonly millrace: MemoryAccount;
  readonly sdk: MemoryAccount;
}

/**
 * Makes the accounts of a receiver: each call of the result makes those of one more sender. The bound of a Millrace sender is
 * twice its credit plus the first chunks, which need no credit: a frame's memory takes up to twice its bytes. Another SDK knows no credit:
 * its bound is the bytes of one stream, plus an eighth for overhead.
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
