import { StreamError } from "../../errors.ts";
import type { Transport } from "../transport.ts";
import { LiveKitTransport, type SdkRoomApi } from "./transport.ts";

/** Key of a Room's property that names the copy of this package that adopted the Room. Two copies would take each other's streams. */
const ADOPTER: unique symbol = Symbol.for("millrace.adopter");

/** Identity of this copy of the package. */
const SELF: object = {};

/** Makes a transport of a Room, once. Throws "transport" for an adopted Room, "invalid-argument" for one of another copy of this package. */
export function adopt(room: object, sdk: SdkRoomApi): Transport {
  const adopter = (room as { [ADOPTER]?: unknown })[ADOPTER];
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
