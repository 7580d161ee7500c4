import { StreamError } from "../../errors.ts";
import { OWN_ATTRIBUTE } from "../constants.ts";
import type { Limits } from "../limits.ts";
import type { StreamHeader } from "./packets.ts";
import { utf8Bytes } from "../../common/utf8.ts";

/** Size of a header as LiveKit's protobuf message, in bytes, without the fields of the packet around it. */
export function headerBytes(header: StreamHeader): number {
  const { streamId, timestamp, topic, mimeType, totalSize, attributes, senderIdentity = "", content } = header;
  let bytes = varintField(timestamp) + (totalSize === undefined ? 0 : varintField(totalSize));
  for (const text of [streamId, topic, mimeType, senderIdentity]) bytes += textField(text);
  let nested = content.kind === "bytes" ? textField(content.name) : textField(content.replyToId ?? "");
  if (content.kind === "text") { for (const id of content.attachedStreamIds) nested += Math.max(2, textField(id)); }
  bytes += lengthField(nested);
  for (const [key, value] of Object.entries(attributes)) {
    bytes += lengthField(Math.max(2, textField(key)) + Math.max(2, textField(value)));
  }
  return bytes;
}

/** Size of a field of one tag byte, a length and that many bytes. */
function lengthField(bytes: number): number {
  return 1 + varint(bytes) + bytes;
}

/** Size of a text field; an empty text has none. */
function textField(text: string): number {
  return text === "" ? 0 : lengthField(utf8Bytes(text));
}

function varintField(value: number): number {
  return value === 0 ? 0 : 1 + varint(value);
}

/** Size of a number, seven bits a byte. */
function varint(value: number): number {
  let bytes = 1;
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

function attributesOverLimits(attributes: Readonly<Record<string, string>>, limits: Limits): string | undefined {
  const entries = Object.entries(attributes).filter(([key]) => key !== OWN_ATTRIBUTE);
  if (entries.length > limits.attributes) return `it has ${entries.length} attributes, of ${limits.attributes} allowed`;
  let bytes = 0;
  for (const [key, value] of entries) bytes += utf8Bytes(key) + utf8Bytes(value);
  return bytes > limits.attributeBytes ? `its attributes take ${bytes} bytes, of ${limits.attributeBytes} allowed` : undefined;
}

/** Limit that a header exceeds, as a clause of a message; undefined if there is none. */
export function overLimits(header: StreamHeader, limits: Limits): string | undefined {
  const attributes = attributesOverLimits(header.attributes, limits);
  if (attributes !== undefined) return attributes;
  const name = header.content.kind === "bytes" ? utf8Bytes(header.content.name) : 0;
  if (name > limits.nameBytes) return `its name takes ${name} bytes, of ${limits.nameBytes} allowed`;
  const whole = headerBytes(header);
  if (whole > limits.headerBytes) return `its header takes ${whole} bytes, of ${limits.headerBytes} allowed`;
  return undefined;
}

/** Throws "invalid-argument" if a header is over the limits. */
export function assertWithinLimits(header: StreamHeader, limits: Limits): void {
  const over = overLimits(header, limits);
  if (over === undefined) return;
  throw new StreamError("invalid-argument", `Cannot open the stream as ${over}: stream id is "${header.streamId}"`, {
    streamId: header.streamId,
  });
}

/** Throws "invalid-argument" if a stream's reason or final attributes are over the limits. A reason may be as long as all attributes. */
export function assertEndWithinLimits(
  { reason = "", attributes = {} }: { reason?: string; attributes?: Readonly<Record<string, string>> },
  limits: Limits,
): void {
  const bytes = utf8Bytes(reason);
  const over = bytes > limits.attributeBytes
    ? `its reason takes ${bytes} bytes, of ${limits.attributeBytes} allowed`
    : attributesOverLimits(attributes, limits);
  if (over !== undefined) throw new StreamError("invalid-argument", `Cannot close the stream as ${over}`);
}
