import { StreamError } from "../errors.ts";
import type { Packet } from "../protocol/wire/packets.ts";
import { isUint8Array } from "../common/realms.ts";

/** Largest packet that LiveKit's SDKs take, in bytes. */
const MAX_PACKET_BYTES = 64_000;

/** Largest header packet that LiveKit's SDKs take, and largest control packet, in bytes. */
const MAX_HEADER_BYTES = 15_000;

const utf8 = new TextEncoder();

/** Error of a packet with a wrong kind or size; undefined if a transport takes the packet. The receiver checks the contents. */
export function refusal(packet: Packet): StreamError | undefined {
  switch (packet.type) {
    case "chunk":
      return refuseBytes("chunk", packet.content, MAX_PACKET_BYTES);
    case "control":
      return refuseBytes("control packet", packet.payload, MAX_HEADER_BYTES);
    case "header":
      return refuseText("header", packet.header, MAX_HEADER_BYTES);
    case "trailer":
      return refuseText("trailer", packet, MAX_PACKET_BYTES);
    default:
      return new StreamError(
        "transport",
        `Cannot send the packet: expected a header, chunk, trailer or control packet, got ${String((packet as Packet).type)}`,
      );
  }
}

/** Size of a packet on a link, in bytes. */
export function packetBytes(packet: Packet): number {
  if (packet.type === "chunk") return packet.content.byteLength;
  if (packet.type === "control") return packet.payload.byteLength;
  return JSON.stringify(packet).length;
}

/** Copies a packet that is kept after `send` has returned, bytes included. */
export function copyPacket(packet: Packet): Packet {
  if (packet.type === "chunk") return { ...packet, content: new Uint8Array(packet.content) };
  if (packet.type === "control") return { ...packet, payload: new Uint8Array(packet.payload) };
  return packet;
}

function refuseBytes(kind: string, bytes: unknown, maxBytes: number): StreamError | undefined {
  if (!isUint8Array(bytes)) {
    return new StreamError("transport", `Cannot send the ${kind}: expected a Uint8Array as content, got ${typeof bytes}`);
  }
  return bytes.byteLength > maxBytes ? tooLarge(kind, bytes.byteLength, maxBytes) : undefined;
}

function refuseText(kind: string, value: object, maxBytes: number): StreamError | undefined {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    return new StreamError("transport", `Cannot send the ${kind} as it must be plain data: ${String(cause)}`, { cause });
  }
  // A UTF-16 unit takes three bytes at most, so a short text need not be measured exactly.
  if (json === undefined || json.length * 3 <= maxBytes) return undefined;
  const bytes = utf8.encode(json).byteLength;
  return bytes > maxBytes ? tooLarge(kind, bytes, maxBytes) : undefined;
}

function tooLarge(kind: string, bytes: number, maxBytes: number): StreamError {
  return new StreamError("transport", `Cannot send the ${kind} as it must have at most ${maxBytes} bytes: it has ${bytes}`);
}
