// The conformance suite over Rooms of one version of LiveKit's SDK.
import { livekit, type RtcNodeRoom } from "../../../transports/livekit/mod.ts";
import type { Transport } from "../../../transports/transport.ts";
import { leaving } from "../conformance/leaving.ts";
import { transportConformance } from "../conformance/transport.ts";
import { startServer } from "../../../bench/support/server.ts";

/** Members of a Room that are used here. */
interface ConnectableRoom extends RtcNodeRoom {
  connect(url: string, token: string, options: { autoSubscribe: boolean; dynacast: boolean }): Promise<void>;
  disconnect(): Promise<void>;
}

/** Rooms of a real server, which lists a participant who has sent nothing yet within 3 s. */
export async function livekitConformance(
  name: string,
  { Room, dispose }: { Room: new () => ConnectableRoom; dispose: () => Promise<void> },
): Promise<void> {
  const server = await startServer();
  let rooms = 0;
  transportConformance(name, () => {
    const room = `room ${++rooms}`;
    const join = async (identity: string): Promise<Transport> => {
      const joining = new Room();
      await joining.connect(server.url, await server.token(identity, room), { autoSubscribe: true, dynacast: false });
      return leaving(livekit(joining), joining);
    };
    return Promise.resolve({ join, close: () => Promise.resolve() });
  }, async () => {
    await dispose();
    await server[Symbol.asyncDispose]();
  });
}
