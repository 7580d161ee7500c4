// Functions of Node's modules that tests use, in a page.
import { sha256 } from "@noble/hashes/sha2";
import { joined } from "../peers/contents.js";

/** Most bytes of one `getRandomValues`. */
const RANDOM_BYTES = 65_536;

/** Bytes with the few methods of a Buffer that tests use. */
class PageBuffer extends Uint8Array {
  equals(other: Uint8Array): boolean {
    return compareBytes(this, other) === 0;
  }

  override toString(encoding?: string): string {
    if (encoding === "hex") return Array.from(this, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (encoding === "base64") return btoa(this.toString("latin1"));
    if (encoding === "latin1") return Array.from(this, (byte) => String.fromCharCode(byte)).join("");
    return new TextDecoder().decode(this);
  }
}

function compareBytes(one: Uint8Array, other: Uint8Array): number {
  for (let at = 0; at < Math.min(one.length, other.length); at++) {
    const difference = (one[at] ?? 0) - (other[at] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(one.length - other.length);
}

/** The part of Node's `Buffer` that tests use. */
export const Buffer = {
  compare: compareBytes,
  concat: (parts: readonly Uint8Array[]): PageBuffer => PageBuffer.from(joined(parts)) as PageBuffer,
  alloc: (size: number): PageBuffer => new PageBuffer(size),
  from(source: string | Iterable<number>): PageBuffer {
    return new PageBuffer(typeof source === "string" ? new TextEncoder().encode(source) : source);
  },
  byteLength: (text: string): number => new TextEncoder().encode(text).length,
};

/** Node's sha256. */
export function createHash(
  _name: "sha256",
): { update(bytes: Uint8Array): unknown; digest(encoding?: "hex" | "base64"): unknown } {
  const hash = sha256.create();
  const running = {
    update(bytes: Uint8Array) {
      hash.update(bytes);
      return running;
    },
    digest(encoding?: "hex" | "base64") {
      const digest = PageBuffer.from(hash.digest()) as PageBuffer;
      return encoding === undefined ? digest : digest.toString(encoding);
    },
  };
  return running;
}

export function randomBytes(size: number): PageBuffer {
  const bytes = new PageBuffer(size);
  for (let at = 0; at < size; at += RANDOM_BYTES) crypto.getRandomValues(bytes.subarray(at, at + RANDOM_BYTES));
  return bytes;
}

/** Stands in for node:net, which no page has. */
export function connect(): never {
  throw new Error("Cannot connect as a page has no sockets");
}

/** Node's `setTimeout` as a promise. */
export function setTimeout<T>(ms: number, value?: T): Promise<T | undefined> {
  return new Promise((resolve) => void globalThis.setTimeout(resolve, ms, value));
}

export default globalThis.process;
