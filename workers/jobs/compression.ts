// Compression of frames where it is worth its time, and checked decompression.
import { SEGMENT_HEADROOM } from "../../protocol/constants.ts";
import { isCompressed } from "../../protocol/wire/frames.ts";
import type { CompressedPayload, CompressionOptions } from "../codec.ts";
import type { Engine } from "./engine.ts";
import { resultOf, type Steps } from "./steps.ts";

/** Size of the sample from the middle of a span, in bytes. */
const SAMPLE_BYTES = 16_384;

/** Compressed sizes from which compression is not worth its time, as shares of the plain size: of a sample, and of a span. */
const SAMPLE_SHARE = 0.9;
const WORTH_SHARE = 0.97;

/** Compresses a payload behind room for a frame header; undefined if the payload would not shrink enough. */
export function* compress(
  bytes: Uint8Array,
  { encoding, thorough, sample }: CompressionOptions,
  engine: Pick<Engine, "compress" | "drop">,
): Steps<ArrayBuffer | undefined> {
  if (sample) {
    const part = sampleOf(bytes);
    const { buffer, length } = yield* resultOf(engine.compress(part, encoding, "quick"));
    engine.drop(buffer);
    if (length >= SAMPLE_SHARE * part.length) return undefined;
  }
  const compressed = yield* resultOf(engine.compress(bytes, encoding, thorough ? "thorough" : "quick"));
  const payload = compressed.length >= WORTH_SHARE * bytes.length ? undefined : withHeadroom(compressed);
  engine.drop(compressed.buffer);
  return payload;
}

function withHeadroom(bytes: Uint8Array): ArrayBuffer {
  const payload = new Uint8Array(SEGMENT_HEADROOM + bytes.length);
  payload.set(bytes, SEGMENT_HEADROOM);
  return payload.buffer;
}

/** Decompresses a payload; undefined unless the payload is exactly one compressed stream of the stated plain length. */
export function* decompress(
  bytes: Uint8Array,
  { encoding, length }: CompressedPayload,
  engine: Pick<Engine, "decompress">,
): Steps<Uint8Array | undefined> {
  if (!isCompressed(encoding)) return bytes.length === length ? bytes : undefined;
  try {
    const plain = yield* resultOf(engine.decompress(bytes, encoding, length));
    return plain.used === bytes.length && plain.bytes.length === length ? plain.bytes : undefined;
  } catch {
    return undefined;
  }
}

function sampleOf(bytes: Uint8Array): Uint8Array {
  const start = Math.max(0, Math.floor((bytes.length - SAMPLE_BYTES) / 2));
  return bytes.subarray(start, start + SAMPLE_BYTES);
}
