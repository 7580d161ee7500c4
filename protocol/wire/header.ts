// Conversion between a stream's description and its header on the wire.
import { CONTROL_STREAM_ID, OWN_ATTRIBUTE, OWN_TOPIC, STREAM_CHUNK_SIZE } from "../constants.ts";
import type { ByteStreamInfo, TextStreamInfo } from "../info.ts";
import type { StreamHeader } from "./packets.ts";
import { decodeExtension, encodeExtension, type HeaderExtension } from "./extension.ts";
import { isCount, isRecord, isStringArray, isStringRecord } from "../../common/shapes.ts";
import { isWholeContent } from "./inline_content.ts";

/** Description of a stream at either end. */
export type StreamDescription = { kind: "text"; info: TextStreamInfo } | { kind: "bytes"; info: ByteStreamInfo };

/** Decoded header. */
export interface OpenedStream {
  readonly description: StreamDescription;
  /** Undefined: the sender is another SDK. */
  readonly extension?: HeaderExtension;
  readonly senderIdentity?: string;
}

/** Size that the sender has promised, in bytes. livekit-client 2.16 gives a stream of unknown size a size of 0. */
export function promisedSize(
  { description: { info }, extension }: { description: StreamDescription; extension?: HeaderExtension | undefined },
): number | undefined {
  return extension === undefined && info.size === 0 ? undefined : info.size;
}

/**
 * Whether a stream is bulk: its chunks take turns with other packets, and are acknowledged. Both ends decide by the header alone.
 * Incremental text and urgent bytes are not bulk, nor is content that fits in a chunk.
 */
export function isBulk(
  { kind, info }: StreamDescription,
  { format, urgent = false }: Pick<HeaderExtension, "format" | "urgent">,
): boolean {
  if (urgent) return false;
  return format === "framed" || (info.size === undefined ? kind === "bytes" : info.size > STREAM_CHUNK_SIZE);
}

/** Encodes a stream's description and extension. */
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

/** Decodes a header of any SDK; undefined if it cannot be read. */
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
