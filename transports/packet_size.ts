import { StreamError } from "../errors.ts";
import type { Packet } from "../protocol/wire/packets.ts";
import { isUint8Array } from "../protocol/realms.ts";

/** Largest packet LiveKit's SDKs take, in bytes. */
const MAX_PACKET_BYTES = 64_000;

/** Largest header packet they take, and largest control packet of ours, in bytes. */
const MAX_HEADER_BYTES = 15_000;

const utf8 = new TextEncoder();

/** Why the hub does not carry a packet; undefined if it does. Its meaning is the receiver's to check: here only kind and size count. */
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
      return new StreamError("transport", `Cannot send the packet as its type is unknown: ${String((packet as Packet).type)}`);
  }
}

/** Size of a packet on a line, in bytes. */
export function packetBytes(packet: Packet): number {
  if (packet.type === "chunk") return packet.content.byteLength;
  if (packet.type === "control") return packet.payload.byteLength;
  return JSON.stringify(packet).length;
}

/** The packet with bytes of its own, for whatever keeps it past the end of `send`. */
export function copyPacket(packet: Packet): Packet {
  if (packet.type === "chunk") return { ...packet, content: new Uint8Array(packet.content) };
  if (packet.type === "control") return { ...packet, payload: new Uint8Array(packet.payload) };
  return packet;
}

function refuseBytes(what: string, bytes: unknown, most: number): StreamError | undefined {
  if (!isUint8Array(bytes)) {
    return new StreamError("transport", `Cannot send the ${what} as its content is not a Uint8Array: ${typeof bytes}`);
  }
  return bytes.byteLength > most ? tooLarge(what, bytes.byteLength, most) : undefined;
}

function refuseText(what: string, value: object, most: number): StreamError | undefined {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    return new StreamError("transport", `Cannot send the ${what} as it is no plain data: ${String(cause)}`, { cause });
  }
  // A UTF-16 unit takes at most three bytes, so that the common short one is not measured exactly.
  if (json === undefined || json.length * 3 <= most) return undefined;
  const bytes = utf8.encode(json).byteLength;
  return bytes > most ? tooLarge(what, bytes, most) : undefined;
}

function tooLarge(what: string, bytes: number, most: number): StreamError {
  return new StreamError("transport", `Cannot send the ${what} as it is larger than ${most} bytes: ${bytes}`);
}
