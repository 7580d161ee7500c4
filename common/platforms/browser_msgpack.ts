// The subset of msgpack that is on the wire, for pages: a fifth of msgpackr's size. tests/wire compares the two.
import { joined } from "../memory.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Encodes numbers, strings, booleans, null, byte arrays, arrays and plain objects. */
export function packMsgpack(value: unknown): Uint8Array {
  const parts: Uint8Array[] = [];
  put(value, parts);
  return joined(parts);
}

/** Decodes one value whose bytes were validated. */
export function unpackMsgpack(bytes: Uint8Array): unknown {
  return new Parser(bytes).value();
}

function put(value: unknown, parts: Uint8Array[]): void {
  if (value === null || value === undefined) parts.push(Uint8Array.of(0xc0));
  else if (typeof value === "boolean") parts.push(Uint8Array.of(value ? 0xc3 : 0xc2));
  else if (typeof value === "number") parts.push(numberBytes(value));
  else if (typeof value === "string") putText(value, parts);
  else if (value instanceof Uint8Array) parts.push(lengthBytes(value.length, undefined, 0xc4, 0xc5), value);
  else if (Array.isArray(value)) {
    parts.push(lengthBytes(value.length, { base: 0x90, most: 15 }, undefined, 0xdc));
    for (const item of value) put(item, parts);
  } else {
    const entries = Object.entries(value as object);
    parts.push(lengthBytes(entries.length, { base: 0x80, most: 15 }, undefined, 0xde));
    for (const [key, item] of entries) {
      putText(key, parts);
      put(item, parts);
    }
  }
}

function putText(text: string, parts: Uint8Array[]): void {
  const bytes = encoder.encode(text);
  parts.push(lengthBytes(bytes.length, { base: 0xa0, most: 31 }, 0xd9, 0xda), bytes);
}

/** Bytes of a tag and a length: within the tag, of one byte, or of two. */
function lengthBytes(
  length: number,
  fixed: { base: number; most: number } | undefined,
  one: number | undefined,
  two: number,
): Uint8Array {
  if (fixed !== undefined && length <= fixed.most) return Uint8Array.of(fixed.base | length);
  if (one !== undefined && length <= 0xff) return Uint8Array.of(one, length);
  if (length <= 0xffff) return Uint8Array.of(two, length >> 8, length & 0xff);
  throw new RangeError(`Cannot encode a value as it must have at most 65,535 parts: it has ${length}`);
}

function numberBytes(value: number): Uint8Array {
  if (!Number.isInteger(value) || value > 0xffff_ffff || value < -0x8000_0000 || Object.is(value, -0)) {
    return tagged(0xcb, 8, (view) => view.setFloat64(1, value));
  }
  if (value >= 0) {
    if (value <= 0x7f) return Uint8Array.of(value);
    if (value <= 0xff) return Uint8Array.of(0xcc, value);
    if (value <= 0xffff) return tagged(0xcd, 2, (view) => view.setUint16(1, value));
    return tagged(0xce, 4, (view) => view.setUint32(1, value));
  }
  if (value >= -0x20) return Uint8Array.of(value & 0xff);
  if (value >= -0x80) return tagged(0xd0, 1, (view) => view.setInt8(1, value));
  if (value >= -0x8000) return tagged(0xd1, 2, (view) => view.setInt16(1, value));
  return tagged(0xd2, 4, (view) => view.setInt32(1, value));
}

function tagged(tag: number, size: number, set: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(1 + size);
  bytes[0] = tag;
  set(new DataView(bytes.buffer));
  return bytes;
}

class Parser {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  value(): unknown {
    const tag = this.#uint(1);
    if (tag <= 0x7f) return tag;
    if (tag >= 0xe0) return tag - 0x100;
    if (tag <= 0x8f) return this.#map(tag & 0x0f);
    if (tag <= 0x9f) return this.#array(tag & 0x0f);
    if (tag <= 0xbf) return this.#text(tag & 0x1f);
    switch (tag) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#run(this.#uint(1)).slice();
      case 0xc5:
        return this.#run(this.#uint(2)).slice();
      case 0xca:
        return this.#view.getFloat32(this.#skip(4));
      case 0xcb:
        return this.#view.getFloat64(this.#skip(8));
      case 0xcc:
        return this.#uint(1);
      case 0xcd:
        return this.#uint(2);
      case 0xce:
        return this.#uint(4);
      case 0xd0:
        return this.#view.getInt8(this.#skip(1));
      case 0xd1:
        return this.#view.getInt16(this.#skip(2));
      case 0xd2:
        return this.#view.getInt32(this.#skip(4));
      case 0xd9:
        return this.#text(this.#uint(1));
      case 0xda:
        return this.#text(this.#uint(2));
      case 0xdc:
        return this.#array(this.#uint(2));
      case 0xde:
        return this.#map(this.#uint(2));
      default:
        throw new RangeError(`Cannot decode a value as its tag must be one of the wire's: it is ${tag}`);
    }
  }

  #array(length: number): unknown[] {
    return Array.from({ length }, () => this.value());
  }

  #map(length: number): Record<string, unknown> {
    const entries = Array.from({ length }, () => [String(this.value()), this.value()] as const);
    // As msgpackr has it: a key of this name would set the prototype.
    return Object.fromEntries(entries.map(([key, item]) => [key === "__proto__" ? "__proto_" : key, item]));
  }

  #text(length: number): string {
    return decoder.decode(this.#run(length));
  }

  #run(length: number): Uint8Array {
    return this.#bytes.subarray(this.#skip(length), this.#at);
  }

  #uint(size: 1 | 2 | 4): number {
    const at = this.#skip(size);
    return size === 1 ? this.#view.getUint8(at) : size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  /** Index of a run of bytes, behind which the parser goes on. */
  #skip(length: number): number {
    this.#at += length;
    return this.#at - length;
  }
}
