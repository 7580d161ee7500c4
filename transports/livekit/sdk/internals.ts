// Internals of a Room of @livekit/rtc-node, and of that SDK, that are used beyond its public API.
import { StreamError } from "../../../errors.ts";
import { isMap } from "../../../protocol/realms.ts";
import { isRecord } from "../../../protocol/shapes.ts";
import type { FfiMessage } from "./ffi_messages.ts";
import type { RoomHandlers } from "./room_handlers.ts";

/** Part of a Room of `@livekit/rtc-node` that is needed: any connected one fits. */
export interface AdoptableRoom {
  /** The room's name, for messages. */
  readonly name?: string | undefined;
  /** True if it is connected; only then it can be adopted. */
  readonly isConnected: boolean;
  /** This participant. */
  readonly localParticipant?: { readonly identity: string } | undefined;
  /** The others, by identity. */
  readonly remoteParticipants: ReadonlyMap<string, { readonly identity: string; readonly sid?: string | undefined }>;
}

export interface FfiEvent {
  readonly message: FfiMessage;
}

export interface FfiClient {
  emit(event: "ffi_event", what: unknown): void;
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
  readonly textStreamHandlers: RoomHandlers;
  readonly byteStreamHandlers: RoomHandlers;
}

/** Finds the internals of a room and of its SDK; throws "transport" if some of them are not there. */
export function inside(room: AdoptableRoom): { internals: Internals; client: FfiClient } {
  if (!isRecord(room) || !("isConnected" in room)) {
    throw new StreamError("invalid-argument", `Cannot adopt the room as it is no Room of @livekit/rtc-node: ${String(room)}`);
  }
  if (!room.isConnected) {
    throw new StreamError("transport", `Cannot adopt the room as it is not connected: call its connect() first`);
  }
  const client = (globalThis as { _ffiClientInstance?: unknown })._ffiClientInstance;
  const needed: Readonly<Record<string, boolean>> = {
    "room.ffiHandle.handle": typeof at(room, "ffiHandle", "handle") === "bigint",
    "room.localParticipant.ffi_handle.handle": typeof at(room, "localParticipant", "ffi_handle", "handle") === "bigint",
    "room.localParticipant.info": isRecord(at(room, "localParticipant", "info")),
    "room.remoteParticipants": isMap(at(room, "remoteParticipants")),
    "room.textStreamHandlers": isMap(at(room, "textStreamHandlers")),
    "room.byteStreamHandlers": isMap(at(room, "byteStreamHandlers")),
    "globalThis._ffiClientInstance.request": typeof at(client, "request") === "function",
    "globalThis._ffiClientInstance.prependListener": typeof at(client, "prependListener") === "function",
  };
  const lacking = Object.keys(needed).filter((name) => needed[name] !== true);
  if (lacking.length > 0) {
    throw new StreamError(
      "transport",
      `Cannot adopt the room as this version of @livekit/rtc-node lacks ${
        lacking.join(", ")
      }: versions known to work are 0.13.34 and 1.1.0`,
    );
  }
  return { internals: room as unknown as Internals, client: client as FfiClient };
}

function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    found = (typeof found === "object" && found !== null) ? (found as Record<string, unknown>)[name] : undefined;
  }
  return found;
}
