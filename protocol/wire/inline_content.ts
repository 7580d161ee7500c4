// A short stream that travels whole in its header: one packet where three would each take a request, and a place in every queue.
import { OWN_ATTRIBUTE } from "../constants.ts";
import { encodeBase64 } from "../../platform.ts";
import { encodeExtension, headerBytes, type HeaderExtension, type StreamDescription } from "./header.ts";
import type { StreamHeader } from "./packets.ts";
import { readWholeContent } from "./inline_text.ts";

export { WHOLE_BYTES } from "./inline_text.ts";

/** All of a stream beside its header. */
export interface InlineContent {
  readonly content: Uint8Array;
  /** Base64 of the sha256 of the content. */
  readonly digest: string;
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** A header with its stream in it; undefined if that makes it larger than `mostBytes`. */
export function inlineContent(
  header: StreamHeader,
  extension: HeaderExtension,
  kind: StreamDescription["kind"],
  { content, digest }: InlineContent,
  mostBytes: number,
): StreamHeader | undefined {
  const text = kind === "text" ? utf8.decode(content) : encodeBase64(content);
  const packed = withExtension(header, { ...extension, whole: [text, digest] });
  return headerBytes(packed) <= mostBytes ? packed : undefined;
}

/** Reads the content that `inlineContent` put into a header, and restores the header; undefined if there is none. */
export function readInlineContent(
  header: StreamHeader,
  extension: HeaderExtension,
  kind: StreamDescription["kind"],
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
