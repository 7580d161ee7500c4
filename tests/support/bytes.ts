import { Buffer } from "node:buffer";

/** True if both hold the same bytes. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Tells where two arrays differ first; "none" if they do not. */
export function difference(actual: Uint8Array, expected: Uint8Array): string {
  if (same(actual, expected)) return "none";
  return `${actual.length} bytes for ${expected.length}, other at ${actual.findIndex((byte, at) => byte !== expected[at])}`;
}
