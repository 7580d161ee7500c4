import { adopt } from "./adopt.ts";
import type { AdoptableRoom } from "./sdk/adoptable.ts";
import { SdkRoom } from "./sdk/room.ts";
import type { Transport } from "../transport.ts";

export type { AdoptableRoom, LiveKitClientRoom, RtcNodeRoom } from "./sdk/adoptable.ts";
export type { OfferedStream, Transport, TransportEvents, TransportHandler } from "../transport.ts";

/**
 * Makes a transport of a room of a LiveKit server. Programs that run on a hub run in a room too, with other Millrace runtimes and with
 * every LiveKit SDK. The program keeps its Room: after the runtime was closed, the Room is still connected and usable.
 *
 * A handler on the Room gets the streams of other SDKs on its topic, before the runtime. The handler gets streams of Millrace runtimes if
 * the runtime has none for the topic. The server sets `senderIdentity`, whatever a sender asks for.
 *
 * A process-wide side effect: native log lines of the SDK are dropped before they are decoded. The SDK ignores them too.
 *
 * Throws StreamError "transport" if the room is not connected, if it is adopted already, or if its SDK lacks members, which the message
 * names. Throws "invalid-argument" for a value that is not a Room, and for a Room that another copy of this package adopted. Versions
 * 0.13.34, 0.13.35 and 1.1.0 of `@livekit/rtc-node` are known to work.
 *
 * @example
 * ```ts no-run
 * import { Room } from "@livekit/rtc-node";
 * import { createRuntime } from "millrace";
 * import { livekit } from "millrace/livekit";
 *
 * const room = new Room();
 * await room.connect(url, token);
 * const runtime = await createRuntime({ transport: livekit(room) });
 * await runtime.sendText("hello", { topic: "chat" });
 * await runtime.close();
 * await room.disconnect();
 * ```
 */
export function livekit(room: AdoptableRoom): Transport {
  return adopt(room, new SdkRoom(room));
}
