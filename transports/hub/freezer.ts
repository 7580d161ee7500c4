import type { StreamError } from "../../errors.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import { copyPacket, packetBytes } from "../packet_size.ts";

/**
 * Bytes kept for a frozen participant, in each direction, as the buffers of a system and a network do. Further packets to the participant are
 * lost, and further packets from it wait.
 */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

/** Packet that a frozen participant has sent. */
export interface HeldPacket {
  readonly packet: Packet;
  readonly destinations: readonly string[] | undefined;
  readonly settle: ((sent: Promise<void>) => void) | undefined;
}

/** Packets to and from a frozen participant, held until the thaw. */
export class Freezer<Delivery> {
  #incoming: Delivery[] = [];
  #incomingBytes = 0;
  #outgoing: HeldPacket[] = [];
  #outgoingBytes = 0;

  /** Keeps a delivery to the participant: `wrap` is called with a copy of its packet, if there is one. */
  keep(packet: Packet | undefined, wrap: (copy: Packet | undefined) => Delivery): void {
    const bytes = packet === undefined ? 0 : packetBytes(packet);
    if (this.#incomingBytes + bytes > MAX_KEPT_BYTES) return;
    this.#incomingBytes += bytes;
    this.#incoming.push(wrap(packet && copyPacket(packet)));
  }

  /** Holds a packet of the participant. Resolves at once while there is room, otherwise when the packet was sent after the thaw. */
  hold(packet: Packet, destinations: readonly string[] | undefined): Promise<void> {
    const bytes = packetBytes(packet);
    if (this.#outgoingBytes + bytes <= MAX_KEPT_BYTES) {
      this.#outgoingBytes += bytes;
      this.#outgoing.push({ packet: copyPacket(packet), destinations, settle: undefined });
      return Promise.resolve();
    }
    this.#outgoingBytes = Infinity; // keeps the order: no small packet may overtake one that waits
    return new Promise((settle) => {
      this.#outgoing.push({ packet, destinations, settle });
    });
  }

  /** Returns all deliveries and packets. */
  thaw(): { incoming: readonly Delivery[]; outgoing: readonly HeldPacket[] } {
    return { incoming: this.#incoming.splice(0), outgoing: this.#outgoing.splice(0) };
  }

  /** Drops all deliveries and packets; senders that wait get the error. */
  drop(error: StreamError): void {
    this.#incoming = [];
    for (const { settle } of this.#outgoing.splice(0)) settle?.(Promise.reject(error));
  }
}
