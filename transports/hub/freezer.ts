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
  #inbox: Delivery[] = [];
  #inboxBytes = 0;
  #outbox: HeldPacket[] = [];
  #outboxBytes = 0;

  /** Keeps a delivery to the participant: `wrap` is called with a copy of its packet, if there is one. */
  keep(packet: Packet | undefined, wrap: (copy: Packet | undefined) => Delivery): void {
    const bytes = packet === undefined ? 0 : packetBytes(packet);
    if (this.#inboxBytes + bytes > MAX_KEPT_BYTES) return;
    this.#inboxBytes += bytes;
    this.#inbox.push(wrap(packet && copyPacket(packet)));
  }

  /** Holds a packet of the participant. Resolves at once while there is room, otherwise when the packet was sent after the thaw. */
  hold(packet: Packet, destinations: readonly string[] | undefined): Promise<void> {
    const bytes = packetBytes(packet);
    if (this.#outboxBytes + bytes <= MAX_KEPT_BYTES) {
      this.#outboxBytes += bytes;
      this.#outbox.push({ packet: copyPacket(packet), destinations, settle: undefined });
      return Promise.resolve();
    }
    this.#outboxBytes = Infinity; // keeps the order: no small packet may overtake one that waits
    return new Promise((settle) => {
      this.#outbox.push({ packet, destinations, settle });
    });
  }

  /** Returns all deliveries and packets. */
  thaw(): { inbox: readonly Delivery[]; outbox: readonly HeldPacket[] } {
    return { inbox: this.#inbox.splice(0), outbox: this.#outbox.splice(0) };
  }

  /** Drops all deliveries and packets; senders that wait get the error. */
  drop(error: StreamError): void {
    this.#inbox = [];
    for (const { settle } of this.#outbox.splice(0)) settle?.(Promise.reject(error));
  }
}
