import type { Packet, Transport } from "../../mod.ts";

/** Transport that counts the received packets of each stream. */
export class Observer implements Transport {
  readonly #inner: Transport;
  readonly #packets = new Map<string, number>();

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  /** Number of packets of a stream. */
  packetsOf(streamId: string): number {
    return this.#packets.get(streamId) ?? 0;
  }

  get identity(): string {
    return this.#inner.identity;
  }

  participants(): readonly string[] {
    return this.#inner.participants();
  }

  open(events: Parameters<Transport["open"]>[0]): void {
    this.#inner.open({
      packet: (packet, from) => {
        this.#count(packet);
        events.packet(packet, from);
      },
      joined: (identity) => events.joined(identity),
      left: (identity) => events.left(identity),
      closed: (error) => events.closed(error),
    });
  }

  send(packet: Packet, destinations?: readonly string[]): Promise<void> {
    return this.#inner.send(packet, destinations);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #count(packet: Packet): void {
    if (packet.type === "control") return; // concerns no single stream
    const streamId = packet.type === "header" ? packet.header.streamId : packet.streamId;
    this.#packets.set(streamId, this.packetsOf(streamId) + 1);
  }
}
