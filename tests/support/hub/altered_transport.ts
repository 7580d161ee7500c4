import type { Packet } from "../../../protocol/wire/packets.ts";
import type { Transport } from "../../../transports/transport.ts";

/** A transport like `inner`, which is not direct, with the members that `change` gives. */
export function altered(inner: Transport, change: (inner: Transport) => Partial<Transport>): Transport {
  return {
    identity: inner.identity,
    participants: () => inner.participants(),
    open: (events) => inner.open(events),
    send: (packet, destinations) => inner.send(packet, destinations),
    close: () => inner.close(),
    ...change(inner),
  };
}

/** A transport like `inner` that calls `note` with each packet before it is sent. */
export function spied(inner: Transport, note: (packet: Packet) => void, more: Partial<Transport> = {}): Transport {
  return altered(inner, () => ({
    ...more,
    send: (packet, destinations) => {
      note(packet);
      return inner.send(packet, destinations);
    },
  }));
}
