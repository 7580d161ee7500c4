import { adopt } from "../livekit/adopt.ts";
import type { AdoptableRoom } from "../livekit/sdk/adoptable.ts";
import type { Transport } from "../transport.ts";
import { ClientRoom } from "./room.ts";

export type { AdoptableRoom, LiveKitClientRoom, RtcNodeRoom } from "../livekit/sdk/adoptable.ts";
export type { OfferedStream, Transport, TransportEvents, TransportHandler } from "../transport.ts";

/**
 * Makes a transport of a room of a LiveKit server in a web page: `millrace/livekit` by the `browser` condition. The program keeps its Room,
 * with its tracks, handlers, RPC and attributes: after the runtime was closed, the Room is still connected and usable.
 *
 * A handler on the Room gets the streams of other SDKs on its topic, before the runtime. The handler gets streams of Millrace runtimes if
 * the runtime has none for the topic. The server sets `senderIdentity`, whatever a sender asks for.
 *
 * Throws StreamError "transport" if the room is not connected, if it is adopted already, or if its SDK lacks members, which the message
 * names. Throws "invalid-argument" for a value that is not a Room, and for a Room that another copy of this package adopted. Versions
 * 2.16.1 and 2.23.0 of `livekit-client` are known to work.
 *
 * @example
 * ```ts no-run
 * import { Room } from "livekit-client";
 * import { createRuntime } from "millrace";
 * import { livekit } from "millrace/livekit";
 *
 * const room = new Room();
 * await room.connect(url, token);
 * const runtime = await createRuntime({ transport: livekit(room) });
 * await runtime.sendText("hello", { topic: "chat" });
 * ```
 */
export function livekit(room: AdoptableRoom): Transport {
  return adopt(room, new ClientRoom(room));
}
