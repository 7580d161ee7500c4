import type { StreamError } from "../../errors.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import { copyPacket, packetBytes } from "../packet_size.ts";

/**
 * Bytes kept for a frozen participant each way, as buffers of a system and a network hold for a stopped process. What
 * goes to it beyond that is lost; what it sends beyond that waits.
 */
const KEPT_BYTES = 4 * 1024 * 1024;

/** A packet a frozen participant has sent. */
export interface Outgoing {
  readonly packet: Packet;
  readonly destinations: readonly string[] | undefined;
  readonly settle: ((sent: Promise<void>) => void) | undefined;
}

/** Holds what goes to a frozen participant, and what comes from it, until it thaws. */
export class Freezer<Delivery> {
  #inbox: Delivery[] = [];
  #inboxBytes = 0;
  #outbox: Outgoing[] = [];
  #outboxBytes = 0;

  /** Keeps a packet with bytes of its own, or what is no packet, as the delivery that `wrap` makes of it. */
  keep(packet: Packet | undefined, wrap: (copy: Packet | undefined) => Delivery): void {
    const bytes = packet === undefined ? 0 : packetBytes(packet);
    if (this.#inboxBytes + bytes > KEPT_BYTES) return;
    this.#inboxBytes += bytes;
    this.#inbox.push(wrap(packet && copyPacket(packet)));
  }

  hold(packet: Packet, destinations: readonly string[] | undefined): Promise<void> {
    const bytes = packetBytes(packet);
    if (this.#outboxBytes + bytes <= KEPT_BYTES) {
      this.#outboxBytes += bytes;
      this.#outbox.push({ packet: copyPacket(packet), destinations, settle: undefined });
      return Promise.resolve();
    }
    this.#outboxBytes = Infinity; // in order: nothing small may slip past one that waits
    return new Promise((settle) => {
      this.#outbox.push({ packet, destinations, settle });
    });
  }

  /** Gives out all it holds. */
  thaw(): { inbox: readonly Delivery[]; outbox: readonly Outgoing[] } {
    return { inbox: this.#inbox.splice(0), outbox: this.#outbox.splice(0) };
  }

  /** Forgets all it holds; those who wait are told why. */
  drop(error: StreamError): void {
    this.#inbox = [];
    for (const { settle } of this.#outbox.splice(0)) settle?.(Promise.reject(error));
  }
}
