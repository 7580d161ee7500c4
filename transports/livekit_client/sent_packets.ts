import { freeMemory } from "../../common/platforms/freed_memory.ts";

/**
 * Bytes of the last packets that are kept. The SDK keeps what the channel's buffer still holds, 64 kB and a packet, to send it again when it
 * resumes a connection.
 */
const KEPT_BYTES = 1_000_000;

/** Encoded packets that were sent, whose memory is freed once the SDK has no use for it. */
export class SentPackets {
  #packets: Uint8Array[] = [];
  #bytes = 0;

  add(packet: Uint8Array): void {
    this.#packets.push(packet);
    this.#bytes += packet.length;
    while (this.#bytes > KEPT_BYTES) {
      const oldest = this.#packets.shift() as Uint8Array;
      this.#bytes -= oldest.length;
      freeMemory(oldest.buffer);
    }
  }

  /** Leaves the packets to the SDK and the collector: the connection is lost, and the SDK may keep any number for the next one. */
  leave(): void {
    this.#packets = [];
    this.#bytes = 0;
  }
}
