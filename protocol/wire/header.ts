// Between what users say of a stream and the header on the wire.
import { StreamError } from "../../errors.ts";
import { CONTROL_STREAM_ID, OWN_ATTRIBUTE, OWN_TOPIC, STREAM_CHUNK_SIZE } from "../constants.ts";
import type { ByteStreamInfo, TextStreamInfo } from "../info.ts";
import type { Limits } from "../limits.ts";
import type { StreamHeader } from "./packets.ts";
import { utf8Bytes } from "./utf8.ts";
import { isCount, isInstance, isRecord, isStringArray, isStringRecord } from "../shapes.ts";
import { isWholeContent } from "./inline_text.ts";

/** Version of what Millrace runtimes say to each other. */
export const PROTOCOL_VERSION = 1;

/** How the chunks' contents are to be read: as the stream's bytes, or as frames that hold them. */
export type StreamFormat = "plain" | "framed";

/** Extension of a Millrace runtime in a header, beside LiveKit's fields. */
export interface HeaderExtension {
  /** Which life of the sender. */
  readonly instance: string;
  /** Counts the streams of that life: a header that comes again opens nothing. */
  readonly sequence: number;
  readonly format: StreamFormat;
  /** The sender waits for a receipt. */
  readonly confirm: boolean;
  /** The sender's user named the receivers: that one of them has no handler is an error. */
  readonly named?: boolean;
  /** The real topic, if the one on the wire is {@linkcode OWN_TOPIC}. */
  readonly topic?: string;
  /** The content, as text or in base64, and its digest, of a stream that is whole in its header: see whole.ts. */
  readonly whole?: readonly [content: string, digest: string];
}

/** Description of a stream at either end. */
export type StreamDescription = { kind: "text"; info: TextStreamInfo } | { kind: "bytes"; info: ByteStreamInfo };

/** A header, read. */
export interface OpenedStream {
  readonly description: StreamDescription;
  /** Undefined: the sender is another SDK. */
  readonly extension?: HeaderExtension;
  readonly senderIdentity?: string;
}

/**
 * Whether a stream is bulk: what it takes of a line must leave room for others, so that its receivers acknowledge its chunks. Both ends
 * know by the header alone. Text as it is made and all that fits in a chunk is not.
 */
export function isBulk({ kind, info }: StreamDescription, format: StreamFormat): boolean {
  return format === "framed" || (info.size === undefined ? kind === "bytes" : info.size > STREAM_CHUNK_SIZE);
}

/** Encodes the extension as the value of {@linkcode OWN_ATTRIBUTE}. */
export function encodeExtension(
  { instance: i, sequence: n, format: f, confirm: c, named: d, topic: t, whole: x }: HeaderExtension,
): string {
  return JSON.stringify({ v: PROTOCOL_VERSION, i, n, f, c, d, t, x });
}

/** Puts a stream's description, and what is ours, on the wire. */
export function encodeHeader(
  { kind, info }: StreamDescription,
  extension: HeaderExtension | undefined,
  senderIdentity: string | undefined,
): StreamHeader {
  const own = extension === undefined ? undefined : encodeExtension(extension);
  return {
    streamId: info.streamId,
    timestamp: info.timestamp,
    topic: extension?.topic === undefined ? info.topic : OWN_TOPIC,
    mimeType: info.mimeType,
    ...(info.size === undefined ? {} : { totalSize: info.size }),
    attributes: own === undefined ? { ...info.attributes } : { ...info.attributes, [OWN_ATTRIBUTE]: own },
    ...(senderIdentity === undefined ? {} : { senderIdentity }),
    content: kind === "bytes" ? { kind, name: info.name } : {
      kind,
      ...(info.replyToId === undefined ? {} : { replyToId: info.replyToId }),
      attachedStreamIds: [...info.attachments],
    },
  };
}

/** Reads a header from the wire, whoever wrote it; undefined if it is none. */
export function decodeHeader(header: unknown): OpenedStream | undefined {
  if (!isRecord(header)) return undefined;
  const { streamId, timestamp, topic, mimeType, totalSize, attributes, senderIdentity, content } = header;
  if (
    typeof streamId !== "string" || streamId === CONTROL_STREAM_ID || typeof topic !== "string" || typeof mimeType !== "string"
  ) return undefined;
  if (!isCount(timestamp) || !isStringRecord(attributes) || !isRecord(content)) return undefined;
  if (totalSize !== undefined && !isCount(totalSize)) return undefined;
  if (senderIdentity !== undefined && typeof senderIdentity !== "string") return undefined;
  const extension = decodeExtension(attributes[OWN_ATTRIBUTE]);
  if (extension === null) return undefined;
  const { [OWN_ATTRIBUTE]: _own, ...visible } = attributes;
  const base = {
    streamId,
    mimeType,
    topic: extension?.topic ?? topic,
    timestamp,
    ...(totalSize === undefined ? {} : { size: totalSize }),
    attributes: visible,
  };
  const description = describe(base, content);
  if (description === undefined) return undefined;
  const whole = extension?.whole;
  if (whole !== undefined && !isWholeContent(description.kind, whole[0])) return undefined;
  return {
    description,
    ...(extension === undefined ? {} : { extension }),
    ...(senderIdentity === undefined || senderIdentity === "" ? {} : { senderIdentity }),
  };
}

function describe(base: Omit<TextStreamInfo, "attachments">, content: Record<string, unknown>): StreamDescription | undefined {
  if (content["kind"] === "bytes") {
    const { name } = content;
    return typeof name === "string" ? { kind: "bytes", info: { ...base, name } } : undefined;
  }
  const { kind, replyToId, attachedStreamIds } = content;
  if (kind !== "text" || !isStringArray(attachedStreamIds)) return undefined;
  if (replyToId !== undefined && typeof replyToId !== "string") return undefined;
  return {
    kind,
    info: { ...base, attachments: [...attachedStreamIds], ...(replyToId === undefined || replyToId === "" ? {} : { replyToId }) },
  };
}

/** Undefined: there are none, it is a plain SDK's. Null: there are, and they are not in order. */
function decodeExtension(text: string | undefined): HeaderExtension | undefined | null {
  if (text === undefined) return undefined;
  const own = parseJson(text);
  if (!isRecord(own)) return null;
  const { v, i, n, f, c, d, t, x } = own;
  if (v !== PROTOCOL_VERSION || !isInstance(i) || !isCount(n) || typeof c !== "boolean") return null;
  if ((f !== "plain" && f !== "framed") || (t !== undefined && typeof t !== "string")) return null;
  if (d !== undefined && typeof d !== "boolean") return null;
  if (x !== undefined && (f !== "plain" || !isPair(x))) return null;
  return {
    instance: i,
    sequence: n,
    format: f,
    confirm: c,
    ...(d === undefined ? {} : { named: d }),
    ...(t === undefined ? {} : { topic: t }),
    ...(x === undefined ? {} : { whole: x }),
  };
}

function isPair(value: unknown): value is [string, string] {
  return isStringArray(value) && value.length === 2;
}

/** Extension of a Millrace runtime in a trailer: with `code` the stream failed, without it is whole. */
export interface TrailerExtension {
  /** Plain bytes of the stream, or as far as it came. */
  readonly bytes: number;
  readonly chunks: number;
  /** Base64 of a sha256: of the bytes (plain), or of the frames' sha256s (framed). Empty with `code`. */
  readonly digest: string;
  readonly code?: string;
}

/** The attributes of a trailer, with what is ours. */
export function encodeTrailer(
  attributes: Readonly<Record<string, string>>,
  extension?: TrailerExtension,
): Record<string, string> {
  if (extension === undefined) return { ...attributes };
  const { bytes, chunks, digest, code } = extension;
  return { ...attributes, [OWN_ATTRIBUTE]: JSON.stringify({ b: bytes, k: chunks, d: digest, e: code }) };
}

/** The user's attributes of a trailer apart from ours. `extension` is undefined if there are none in order. */
export function decodeTrailer(
  attributes: unknown,
): { attributes: Record<string, string>; extension?: TrailerExtension } | undefined {
  if (!isStringRecord(attributes)) return undefined;
  const { [OWN_ATTRIBUTE]: text, ...visible } = attributes;
  const own = text === undefined ? undefined : parseJson(text);
  if (!isRecord(own)) return { attributes: visible };
  const { b, k, d, e } = own;
  if (!isCount(b) || !isCount(k) || typeof d !== "string" || (e !== undefined && typeof e !== "string")) {
    return { attributes: visible };
  }
  return { attributes: visible, extension: { bytes: b, chunks: k, digest: d, ...(e === undefined ? {} : { code: e }) } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Bytes a header takes on the wire, as LiveKit's protobuf message; without the packet's own fields around it. */
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

/** A tag of one byte, a length, and so many bytes. */
function lengthField(bytes: number): number {
  return 1 + varint(bytes) + bytes;
}

/** A text; an empty one is left out. */
function textField(text: string): number {
  return text === "" ? 0 : lengthField(utf8Bytes(text));
}

function varintField(value: number): number {
  return value === 0 ? 0 : 1 + varint(value);
}

/** Bytes of a number, seven bits each. */
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

/** Why a header is over the limits; undefined if it is not. */
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

/** Throws "invalid-argument" if what a stream is to end with is over the limits; a reason may be as long as all attributes together. */
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
