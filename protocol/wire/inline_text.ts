// The content of a stream that is whole in its header: of text the text itself, of bytes their base64.
import { decodeBase64, encodeBase64 } from "../../platform.ts";
import { utf8Bytes } from "./utf8.ts";

/** Bytes that a stream carried by its header holds at most: with base64 and escapes they leave most of a header to the rest. */
export const WHOLE_BYTES = 4_000;

/** UTF-16 units of the longest content in base64. */
const MAX_BASE64_LENGTH: number = 4 * Math.ceil(WHOLE_BYTES / 3);

const encoder = new TextEncoder();

/** Whether a text from the wire is such a content: no longer than allowed, and what encoding gives. */
export function isWholeContent(kind: "text" | "bytes", text: string): boolean {
  if (kind === "text") return text.length <= WHOLE_BYTES && utf8Bytes(text) <= WHOLE_BYTES;
  if (text.length > MAX_BASE64_LENGTH) return false;
  const bytes = decodeBase64(text);
  return bytes.length <= WHOLE_BYTES && encodeBase64(bytes) === text;
}

/** The bytes of a content in order. */
export function readWholeContent(kind: "text" | "bytes", text: string): Uint8Array {
  return kind === "text" ? encoder.encode(text) : decodeBase64(text);
}
