// The conformance suite over Rooms of livekit-client, for a page.
import { Room } from "livekit-client";
import { livekit } from "../../../transports/livekit_client/mod.ts";
import type { Transport } from "../../../transports/transport.ts";
import { transportConformance } from "../conformance/transport.ts";

declare global {
  /** A server's URL and a token; the test's process gives them. */
  function connection(identity: string, room: string): Promise<{ url: string; token: string }>;
}

let rooms = 0;

transportConformance("livekit-client", () => {
  const name = `room ${++rooms}`;
  const join = async (identity: string): Promise<Transport> => {
    const { url, token } = await connection(identity, name);
    const room = new Room();
    await room.connect(url, token);
    return leaving(room);
  };
  return Promise.resolve({ join, close: () => Promise.resolve() });
});

/** A transport that leaves its Room when it is closed. LiveKitTransport itself gives the Room back, connected. */
function leaving(room: Room): Transport {
  const transport = livekit(room);
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
