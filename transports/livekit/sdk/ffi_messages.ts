// Conversion of stream headers and trailers from and to the SDK's messages.
import type { BytesContent, StreamHeader, TextContent, TrailerPacket } from "../../../protocol/wire/packets.ts";

/** Protobuf "oneof" of the SDK's generated code, which declares the type of `value` for each `case`. */
export interface FfiMessage {
  readonly case?: string;
  // deno-lint-ignore no-explicit-any
  readonly value?: any; // oxlint-disable-line typescript/no-explicit-any
}

/** Fields of both a header and a reader's info. */
export interface HeaderMessage {
  readonly streamId: string;
  readonly timestamp: bigint;
  readonly mimeType: string;
  readonly topic: string;
  readonly totalLength?: bigint;
  readonly attributes: Record<string, string>;
}

/** Operation type of a text header that begins a new text. */
const CREATE = 0;

export function headerOf(message: HeaderMessage, contentHeader: FfiMessage): StreamHeader {
  const { streamId, timestamp, mimeType, topic, totalLength, attributes } = message;
  return {
    streamId,
    timestamp: Number(timestamp),
    topic,
    mimeType,
    ...(totalLength === undefined ? {} : { totalSize: Number(totalLength) }),
    attributes: { ...attributes },
    content: contentOf(contentHeader),
  };
}

export function headerMessage(header: StreamHeader): Record<string, unknown> {
  const { streamId, timestamp, topic, mimeType, totalSize, attributes, content } = header;
  return {
    streamId,
    timestamp: BigInt(timestamp),
    topic,
    mimeType,
    ...(totalSize === undefined ? {} : { totalLength: BigInt(totalSize) }),
    attributes: { ...attributes },
    contentHeader: content.kind === "bytes"
      ? { case: "byteHeader", value: { name: content.name } }
      : { case: "textHeader", value: textHeader(content) },
  };
}

export function trailerOf(trailer: { streamId: string; reason?: string; attributes: Record<string, string> }): TrailerPacket {
  return { type: "trailer", streamId: trailer.streamId, reason: trailer.reason ?? "", attributes: { ...trailer.attributes } };
}

function contentOf({ case: name, value }: FfiMessage): TextContent | BytesContent {
  if (name === "byteHeader") return { kind: "bytes", name: value.name ?? "" };
  const { replyToStreamId, attachedStreamIds } = value ?? {};
  const replyTo = replyToStreamId === undefined || replyToStreamId === "" ? {} : { replyToId: replyToStreamId };
  return { kind: "text", ...replyTo, attachedStreamIds: [...attachedStreamIds ?? []] };
}

function textHeader({ replyToId, attachedStreamIds }: TextContent): Record<string, unknown> {
  const replyTo = replyToId === undefined ? {} : { replyToStreamId: replyToId };
  return { operationType: CREATE, attachedStreamIds: [...attachedStreamIds], ...replyTo };
}
