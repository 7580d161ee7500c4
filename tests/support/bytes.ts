// Contents of streams in tests, and their comparison.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

export { bytePattern as pattern, joined } from "./peers/contents.js";

/** True if both hold the same bytes. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Tells where two arrays differ first; "none" if they do not. */
export function difference(actual: Uint8Array, expected: Uint8Array): string {
  if (same(actual, expected)) return "none";
  return `${actual.length} bytes for ${expected.length}, other at ${actual.findIndex((byte, at) => byte !== expected[at])}`;
}

/** Bytes that do not compress. */
export function pseudorandom(length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** sha256 in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
