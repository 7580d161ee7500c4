// A room of a LiveKit server as a transport. The server tells of a participant who has sent nothing yet within 3 s.
import { livekit } from "../../transports/livekit.ts";
import type { Transport } from "../../transports/transport.ts";
import { transportConformance } from "../conformance/transport.ts";
import { connect, disposeAll, type Room } from "./rooms.ts";
import { startServer } from "./server.ts";

const server = await startServer();
let rooms = 0;

transportConformance("livekit", () => {
  const name = `room ${rooms++}`;
  return Promise.resolve({
    join: async (identity) => leaving(await connect(server, identity, name)),
    close: () => Promise.resolve(),
  });
}, async () => {
  await disposeAll();
  await server[Symbol.asyncDispose]();
});

/** A transport of a Room that is left when the transport is closed: closing gives a Room back, connected. */
function leaving(room: Room): Transport {
  const transport = livekit(room);
  return {
    identity: transport.identity,
    participants: () => transport.participants(),
    open: (events) => transport.open(events),
    send: (packet, destinations) => transport.send(packet, destinations),
    find: async (identities) => await transport.find?.(identities),
    close: async () => {
      await transport.close();
      await room.disconnect();
    },
  };
}
