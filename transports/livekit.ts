import { StreamError } from "../errors.ts";
import type { Transport } from "./transport.ts";

/** What is needed of a Room of `@livekit/rtc-node`: any connected one fits. */
export interface AdoptableRoom {
  readonly isConnected: boolean;
  readonly name: string | undefined;
}

/** Adopts a connected Room. */
export function livekit(room: AdoptableRoom): Transport {
  throw new StreamError("transport", `Cannot adopt the room as that is not written yet: name is "${room.name}"`);
}
