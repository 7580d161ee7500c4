import { StreamError } from "../../errors.ts";
import type { AdoptableRoom } from "./sdk/internals.ts";
import { SdkRoom } from "./sdk/room.ts";
import { LiveKitTransport } from "./transport.ts";
import type { Transport } from "../transport.ts";

export type { AdoptableRoom } from "./sdk/internals.ts";
export type { OfferedStream, Transport, TransportEvents, TransportHandler } from "../transport.ts";

/** Where a Room says which copy of this package has adopted it: two would take each other's streams. */
const ADOPTER: unique symbol = Symbol.for("millrace.adopter");

/** This copy of the package. */
const SELF: object = {};

type Adopted = AdoptableRoom & { [ADOPTER]?: unknown };

/**
 * A room of a LiveKit server as a transport: what runs on a hub runs in it, with other Millrace runtimes and with every LiveKit SDK. The
 * Room stays its owner's: closing the runtime gives it back, connected, and does not end the program's use of it.
 *
 * Streams of other SDKs on a topic for which a handler is registered on the Room itself go to that handler, and not to the runtime. Those of
 * Millrace runtimes do if the runtime has no handler for their topic.
 * `senderIdentity` is what the server says, whatever a sender asks for.
 *
 * For the whole process, what the SDK's native part logs is dropped before it is decoded: the SDK has no use for it either.
 *
 * Throws StreamError "transport" if the room is not connected, is adopted already, or belongs to a version of the SDK that lacks what is
 * needed (it names what); "invalid-argument" if it is no Room at all, or adopted by another copy of this package. Known to work: `@livekit/rtc-node` 0.13.34 and 1.1.0.
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
  const sdk = new SdkRoom(room);
  const adopter = (room as Adopted)[ADOPTER];
  if (adopter === SELF) {
    throw new StreamError("transport", `Cannot adopt the room as it is adopted already: identity is "${sdk.identity}"`);
  }
  if (adopter !== undefined) {
    throw new StreamError(
      "invalid-argument",
      `Cannot adopt the room as another copy of this package has adopted it: identity is "${sdk.identity}"`,
    );
  }
  Object.defineProperty(room, ADOPTER, { value: SELF, configurable: true });
  return new LiveKitTransport(sdk, () => void Reflect.deleteProperty(room, ADOPTER));
}
