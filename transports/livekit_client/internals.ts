// Internals of livekit-client and its Room that are used beyond the public API. Versions 2.16.1 and 2.23.0 have them.
import { StreamError } from "../../errors.ts";
import { isMap } from "../../common/realms.ts";
import { isRecord, memberAt } from "../../common/shapes.ts";
import type { AdoptableRoom } from "../livekit/sdk/adoptable.ts";
import type { FfiMessage } from "../livekit/sdk/ffi_messages.ts";
import type { RoomHandlers } from "../livekit/sdk/room_handlers.ts";

/** The SDK's number of the reliable data channel. */
export const RELIABLE = 0;

/** Packet of a data channel: a protobuf message of the SDK. */
export interface DataPacket {
  value: FfiMessage;
  readonly participantIdentity: string;
}

/** Class of packets. */
export type DataPacketClass = new (fields: { value: FfiMessage; destinationIdentities: readonly string[] }) => DataPacket;

/** Listener of the engine's packets. Its second argument says what the sender claims of the encryption: it is not used. */
export type PacketListener = (packet: DataPacket, encryptionType: number) => void;

/** Connection of one `connect` of a Room. */
export interface Engine {
  sendDataPacket(packet: DataPacket, kind: typeof RELIABLE): Promise<void>;
  dataChannelForKind(kind: typeof RELIABLE): RTCDataChannel | undefined;
  prependListener(event: "dataPacketReceived", listener: PacketListener): void;
  on(event: "participantUpdate", listener: UpdateListener): void;
  off(event: string, listener: PacketListener | UpdateListener): void;
}

/** The server's news of a participant. */
export interface ParticipantNews {
  readonly identity: string;
  readonly sid: string;
  readonly state: number;
}

/** State of a participant that has left. */
export const DISCONNECTED = 3;

/** Listener of the server's news. */
export type UpdateListener = (news: readonly ParticipantNews[]) => void;

/** The SDK's reader of a stream, as its handlers get it. */
export interface ClientReader extends AsyncIterable<string | Uint8Array> {
  readonly info: { readonly attributes?: Readonly<Record<string, string>> };
}

/** The Room's manager of received streams. */
export interface StreamManager {
  readonly textStreamHandlers: RoomHandlers;
  readonly byteStreamHandlers: RoomHandlers;
  handleStreamHeader(header: unknown, identity: string, encryptionType: number): unknown;
}

/** The Room with what is used of it. */
export interface Internals {
  readonly state: string;
  readonly engine: Engine | undefined;
  readonly incomingDataStreamManager: StreamManager;
  readonly remoteParticipants: ReadonlyMap<string, { readonly identity: string; readonly sid?: string | undefined }>;
  readonly localParticipant: {
    readonly identity: string;
    readonly sid: string;
    readonly permissions?: { readonly canPublishData?: boolean };
    publishDtmf(code: number, digit: string): Promise<void>;
    performRpc(call: { destinationIdentity: string; method: string; payload: string }): Promise<string>;
  };
  on(event: string, listener: (...values: readonly never[]) => void): void;
  off(event: string, listener: (...values: readonly never[]) => void): void;
}

/** Finds the internals of a Room and the class of its packets. Throws "transport" if some are missing, and names them. */
export function internalsOf(room: AdoptableRoom): { internals: Internals; engine: Engine; DataPacket: DataPacketClass } {
  if (!isRecord(room) || !("state" in room) || !("engine" in room)) {
    throw new StreamError("invalid-argument", `Cannot adopt the room: expected a Room of livekit-client, got ${String(room)}`);
  }
  if (room.state !== "connected") {
    throw new StreamError(
      "transport",
      `Cannot adopt the room as it must be connected: its state is "${String(room.state)}", await its connect() first`,
    );
  }
  const needed: Readonly<Record<string, boolean>> = {
    "room.engine.sendDataPacket": isFunction(memberAt(room, "engine", "sendDataPacket")),
    "room.engine.dataChannelForKind": isFunction(memberAt(room, "engine", "dataChannelForKind")),
    "room.engine.prependListener": isFunction(memberAt(room, "engine", "prependListener")),
    "room.engine.on": isFunction(memberAt(room, "engine", "on")),
    "room.incomingDataStreamManager.textStreamHandlers": isMap(memberAt(room, "incomingDataStreamManager", "textStreamHandlers")),
    "room.incomingDataStreamManager.byteStreamHandlers": isMap(memberAt(room, "incomingDataStreamManager", "byteStreamHandlers")),
    "room.incomingDataStreamManager.handleStreamHeader": isFunction(
      memberAt(room, "incomingDataStreamManager", "handleStreamHeader"),
    ),
    "room.localParticipant.publishDtmf": isFunction(memberAt(room, "localParticipant", "publishDtmf")),
    "room.localParticipant.performRpc": isFunction(memberAt(room, "localParticipant", "performRpc")),
    "room.remoteParticipants": isMap(memberAt(room, "remoteParticipants")),
  };
  const missing = Object.keys(needed).filter((name) => needed[name] !== true);
  const internals = room as unknown as Internals;
  const DataPacket = missing.length === 0 ? classOfPackets(internals) : undefined;
  if (DataPacket === undefined) {
    const lacks = missing.length === 0 ? "the class of its packets" : missing.join(", ");
    throw new StreamError(
      "transport",
      `Cannot adopt the room: expected livekit-client 2.16.1 to 2.23, got a version that lacks ${lacks}`,
    );
  }
  return { internals, engine: internals.engine as Engine, DataPacket };
}

/** Finds the class of packets, which the SDK does not export: the class of one that is made for an engine that sends nothing. */
function classOfPackets({ localParticipant }: Internals): DataPacketClass | undefined {
  let made: DataPacket | undefined;
  const engine = {
    sendDataPacket: (packet: DataPacket) => {
      made = packet;
      return Promise.resolve();
    },
  };
  // The object inherits the method, and has an engine of its own.
  const participant = Object.create(localParticipant, { engine: { value: engine } }) as Internals["localParticipant"];
  participant.publishDtmf(0, "0").catch(() => {}); // a version that does otherwise has no packet
  return made?.constructor as DataPacketClass | undefined;
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}
