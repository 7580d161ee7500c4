import type { Transport } from "../../../transports/transport.ts";

/** A transport that leaves its Room when it is closed. A room's transport itself gives the Room back, connected. */
export function leaving(transport: Transport, room: { disconnect(): Promise<void> }): Transport {
  return {
    identity: transport.identity,
    participants: () => transport.participants(),
    find: async (identities) => await transport.find?.(identities),
    open: (events) => transport.open(events),
    send: (packet, destinations) => transport.send(packet, destinations),
    close: async () => {
      await transport.close();
      await room.disconnect();
    },
  };
}
