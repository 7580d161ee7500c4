import { StreamError } from "../errors.ts";
import type { AdoptableRoom } from "./livekit_internals.ts";
import { Sdk } from "./livekit_sdk.ts";
import { LiveKitTransport } from "./livekit_transport.ts";
import type { Transport } from "./transport.ts";

export type { AdoptableRoom } from "./livekit_internals.ts";
export type { Transport, TransportEvents } from "./transport.ts";

const adopted = new WeakSet<AdoptableRoom>();

/**
 * A room of a LiveKit server as a transport: what runs on a hub runs in it, with other Millrace runtimes and with every LiveKit SDK. The
 * Room stays its owner's: closing the runtime gives it back, connected, and does not end the program's use of it.
 *
 * Streams of other SDKs on a topic for which a handler is registered on the Room itself go to that handler, and not to the runtime. Those of
 * Millrace runtimes do if the runtime has no handler for their topic.
 * `senderIdentity` is what the server says, whatever a sender asks for.
 *
 * For the whole process it ends that the SDK's native part hands all it logs to this thread, where nothing reads it: a fifth of what a
 * transfer costs.
 *
 * Throws StreamError "transport" if the room is not connected, is adopted already, or belongs to a version of the SDK that lacks what is
 * needed (it names what); "invalid-argument" if it is no Room at all. Known to work: `@livekit/rtc-node` 0.13.34 and 1.1.0.
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
  const sdk = new Sdk(room);
  if (adopted.has(room)) {
    throw new StreamError("transport", `Cannot adopt the room as it is adopted already: identity is "${sdk.identity}"`);
  }
  adopted.add(room);
  return new LiveKitTransport(sdk, () => void adopted.delete(room));
}
