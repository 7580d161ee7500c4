// Packets that reach a tab which only stands by.
import type { Packet, Transport } from "millrace";
import { byId } from "./elements.ts";

/** Counts the packets of streams that come by a transport, and shows the counts. Messages between runtimes are of no stream. */
export class PacketCounts {
  readonly #packets = new Map<string, number>();
  readonly #toEverybody = new Set<string>();

  /** Watches a transport that is not open yet. */
  watch(transport: Transport): Transport {
    const open = transport.open.bind(transport);
    transport.open = (events) =>
      open({
        packet: (packet, from) => {
          this.#note(packet);
          events.packet(packet, from);
        },
        joined: (identity) => events.joined(identity),
        left: (identity) => events.left(identity),
        registered: (kind, topic) => events.registered?.(kind, topic),
        closed: (error) => events.closed(error),
      });
    return transport;
  }

  /** Notes that a stream is to everybody. */
  noteToEverybody(streamId: string): void {
    this.#toEverybody.add(streamId);
    this.#show();
  }

  #note(packet: Packet): void {
    if (packet.type === "control") return;
    const id = packet.type === "header" ? packet.header.streamId : packet.streamId;
    this.#packets.set(id, (this.#packets.get(id) ?? 0) + 1);
    queueMicrotask(() => this.#show()); // a stream's handler is called before
  }

  #show(): void {
    let [all, open] = [0, 0];
    for (const [id, count] of this.#packets) {
      all += count;
      if (this.#toEverybody.has(id)) open += count;
    }
    byId("private").textContent = String(all - open);
    byId("public").textContent = String(open);
  }
}
