// Internals of @livekit/rtc-node and its Room that are used beyond the public API.
import { StreamError } from "../../../errors.ts";
import { isMap } from "../../../common/realms.ts";
import { isRecord, memberAt } from "../../../common/shapes.ts";
import type { AdoptableRoom, RtcNodeRoom } from "./adoptable.ts";
import type { FfiMessage } from "./ffi_messages.ts";
import type { RoomHandlers } from "./room_handlers.ts";

export interface FfiEvent {
  readonly message: FfiMessage;
}

export interface FfiClient {
  emit(event: "ffi_event", value: unknown): void;
  request(request: { message: { case: string; value: unknown } }): { asyncId?: bigint };
  prependListener(event: "ffi_event", listener: (event: FfiEvent) => void): void;
  off(event: "ffi_event", listener: (event: FfiEvent) => void): void;
}

export interface Internals {
  readonly ffiHandle: { readonly handle: bigint };
  readonly localParticipant: {
    readonly identity: string;
    readonly ffi_handle: { readonly handle: bigint };
    readonly info: { readonly sid?: string; readonly permission?: { readonly canPublishData?: boolean } };
  };
  disconnect(): Promise<void>;
  readonly textStreamHandlers: RoomHandlers;
  readonly byteStreamHandlers: RoomHandlers;
}

/** Finds the internals of a room and of its SDK; throws "transport" if some are missing. */
export function internalsOf(room: AdoptableRoom): { room: RtcNodeRoom; internals: Internals; client: FfiClient } {
  if (!isRecord(room) || !("isConnected" in room)) {
    throw new StreamError("invalid-argument", `Cannot adopt the room: expected a Room of @livekit/rtc-node, got ${String(room)}`);
  }
  if (!room.isConnected) {
    throw new StreamError(
      "transport",
      "Cannot adopt the room as it must be connected: isConnected is false, call its connect() first",
    );
  }
  const client = (globalThis as { _ffiClientInstance?: unknown })._ffiClientInstance;
  const needed: Readonly<Record<string, boolean>> = {
    "room.ffiHandle.handle": typeof memberAt(room, "ffiHandle", "handle") === "bigint",
    "room.localParticipant.ffi_handle.handle": typeof memberAt(room, "localParticipant", "ffi_handle", "handle") === "bigint",
    "room.localParticipant.info": isRecord(memberAt(room, "localParticipant", "info")),
    "room.remoteParticipants": isMap(memberAt(room, "remoteParticipants")),
    "room.textStreamHandlers": isMap(memberAt(room, "textStreamHandlers")),
    "room.byteStreamHandlers": isMap(memberAt(room, "byteStreamHandlers")),
    "globalThis._ffiClientInstance.request": typeof memberAt(client, "request") === "function",
    "globalThis._ffiClientInstance.prependListener": typeof memberAt(client, "prependListener") === "function",
  };
  const missing = Object.keys(needed).filter((name) => needed[name] !== true);
  if (missing.length > 0) {
    throw new StreamError(
      "transport",
      `Cannot adopt the room: expected @livekit/rtc-node 0.13.34 or 1.1.0, got a version that lacks ${missing.join(", ")}`,
    );
  }
  return { room: room as unknown as RtcNodeRoom, internals: room as unknown as Internals, client: client as FfiClient };
}
