// Validates untrusted msgpack before a library decodes it: rejects extension types, by which msgpackr would revive dates, errors, sets and
// records, and lengths beyond the bytes.
import { platform } from "../../common/platform.ts";

/** Deepest nesting that is accepted; our own packets have 4. */
const MAX_DEPTH = 8;

/** Encodes a value to an array of the caller's own. */
export function encodeMsgpack(value: unknown): Uint8Array {
  return platform().packMsgpack(value);
}

/** Decodes untrusted bytes; undefined if they are not one plain value. */
export function decodeMsgpack(bytes: Uint8Array): unknown {
  if (skip(bytes, 0, 0) !== bytes.length) return undefined;
  try {
    return platform().unpackMsgpack(bytes);
  } catch {
    return undefined;
  }
}

/** Index after the value that begins at `at`, or -1. */
function skip(bytes: Uint8Array, at: number, depth: number): number {
  const tag = bytes[at];
  if (tag === undefined) return -1;
  if (tag <= 0x7f || tag >= 0xe0) return at + 1; // small integers
  if (tag <= 0x8f) return skipItems(bytes, at + 1, 2 * (tag & 0x0f), depth);
  if (tag <= 0x9f) return skipItems(bytes, at + 1, tag & 0x0f, depth);
  if (tag <= 0xbf) return within(bytes, at + 1 + (tag & 0x1f));
  switch (tag) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return at + 1;
    case 0xc4: // bin 8
    case 0xd9: // str 8
      return skipRun(bytes, at, 1);
    case 0xc5: // bin 16
    case 0xda: // str 16
      return skipRun(bytes, at, 2);
    case 0xcc: // uint 8
    case 0xd0: // int 8
      return within(bytes, at + 2);
    case 0xcd: // uint 16
    case 0xd1: // int 16
      return within(bytes, at + 3);
    case 0xca: // float 32
    case 0xce: // uint 32
    case 0xd2: // int 32
      return within(bytes, at + 5);
    case 0xcb: // float 64
      return within(bytes, at + 9);
    case 0xdc: // array 16
      return skipItems(bytes, at + 3, uint16(bytes, at + 1), depth);
    case 0xde: // map 16
      return skipItems(bytes, at + 3, 2 * uint16(bytes, at + 1), depth);
    default: // extensions, 32-bit lengths, 64-bit integers: a packet of at most 15,000 bytes of ours has none
      return -1;
  }
}

function skipItems(bytes: Uint8Array, from: number, count: number, depth: number): number {
  if (depth >= MAX_DEPTH) return -1;
  let at = from;
  for (let i = 0; i < count && at !== -1; i++) at = skip(bytes, at, depth + 1);
  return at;
}

function skipRun(bytes: Uint8Array, at: number, size: 1 | 2): number {
  const length = size === 1 ? bytes[at + 1] ?? NaN : uint16(bytes, at + 1);
  return within(bytes, at + 1 + size + length);
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? NaN) * 256) + (bytes[at + 1] ?? NaN);
}

function within(bytes: Uint8Array, end: number): number {
  return end <= bytes.length ? end : -1; // false for NaN too
}
