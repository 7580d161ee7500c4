// A short stream's content within its header: one packet instead of three, each with a request and a place in every queue. Content of
// text is the text, content of bytes their base64.
import { OWN_ATTRIBUTE } from "../constants.ts";
import { platform } from "../../common/platform.ts";
import { encodeExtension, type HeaderExtension } from "./extension.ts";
import { headerBytes } from "./header_limits.ts";
import type { StreamHeader } from "./packets.ts";
import { utf8Bytes } from "../../common/utf8.ts";

/** Most bytes of inline content: with base64 and escapes they leave most of a header to its other fields. */
export const WHOLE_BYTES = 4_000;

/** UTF-16 units of the longest content in base64. */
const MAX_BASE64_LENGTH: number = 4 * Math.ceil(WHOLE_BYTES / 3);

const encoder = new TextEncoder();

/** Content of a whole stream. */
export interface InlineContent {
  readonly content: Uint8Array;
  /** Base64 of the sha256 of the content. */
  readonly digest: string;
}

/** Puts a stream's content into its header; undefined if the header would exceed `mostBytes` bytes. */
export function inlineContent(
  header: StreamHeader,
  extension: HeaderExtension,
  kind: "text" | "bytes",
  { content, digest }: InlineContent,
  mostBytes: number,
): StreamHeader | undefined {
  const text = kind === "text" ? platform().decodeUtf8(content) : platform().encodeBase64(content);
  const inlined = withExtension(header, { ...extension, whole: [text, digest] });
  return headerBytes(inlined) <= mostBytes ? inlined : undefined;
}

/** Reads the content that `inlineContent` put into a header, and restores the header; undefined if there is none. */
export function readInlineContent(
  header: StreamHeader,
  extension: HeaderExtension,
  kind: "text" | "bytes",
): { header: StreamHeader; whole: InlineContent } | undefined {
  if (extension.whole === undefined) return undefined;
  const [text, digest] = extension.whole;
  const content = readWholeContent(kind, text);
  const { whole: _whole, ...others } = extension;
  return { header: withExtension(header, others), whole: { content, digest } };
}

function withExtension(header: StreamHeader, extension: HeaderExtension): StreamHeader {
  return { ...header, attributes: { ...header.attributes, [OWN_ATTRIBUTE]: encodeExtension(extension) } };
}

/** Whether a text from the wire is inline content: short enough, and exactly what encoding gives. */
export function isWholeContent(kind: "text" | "bytes", text: string): boolean {
  if (kind === "text") return text.length <= WHOLE_BYTES && utf8Bytes(text) <= WHOLE_BYTES;
  if (text.length > MAX_BASE64_LENGTH) return false;
  const bytes = platform().decodeBase64(text);
  return bytes.length <= WHOLE_BYTES && platform().encodeBase64(bytes) === text;
}

/** Decodes valid inline content. */
export function readWholeContent(kind: "text" | "bytes", text: string): Uint8Array {
  return kind === "text" ? encoder.encode(text) : platform().decodeBase64(text);
}
