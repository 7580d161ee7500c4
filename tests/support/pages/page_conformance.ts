// The conformance suite over Rooms of livekit-client, for a page.
import { Room } from "livekit-client";
import { livekit } from "../../../transports/livekit_client/mod.ts";
import type { Transport } from "../../../transports/transport.ts";
import { leaving } from "../conformance/leaving.ts";
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
    return leaving(livekit(room), room);
  };
  return Promise.resolve({ join, close: () => Promise.resolve() });
});
