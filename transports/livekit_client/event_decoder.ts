import { freeMemory } from "../../common/platforms/freed_memory.ts";
import { BoundedMap } from "../../common/bounded_map.ts";
import type { SdkEvents } from "../livekit/sdk/events.ts";
import { type HeaderMessage, headerOf, trailerOf } from "../livekit/sdk/ffi_messages.ts";
import type { RoomHandler, RoomHandlers } from "../livekit/sdk/room_handlers.ts";
import { SdkStreamReader } from "./sdk_stream_reader.ts";
import {
  type ClientReader,
  type DataPacket,
  DISCONNECTED,
  type Engine,
  type Internals,
  type PacketListener,
  type UpdateListener,
} from "./internals.ts";

/** Participant of an event. */
interface Participant {
  readonly identity: string;
  readonly sid: string;
  readonly permissions?: { readonly canPublishData?: boolean };
}

/** A chunk, as the SDK decodes it. */
interface ChunkMessage {
  readonly streamId: string;
  readonly chunkIndex: bigint;
  readonly content: Uint8Array;
}

/** Most streams that the Room does not see and that are known at a time. */
const MAX_HIDDEN = 1_000;

/** Calls of the decoder to its Room: a lookup, and news that the transport gets afterwards. */
export interface DecoderCalls {
  /** Finds the handler that is registered on the Room for a topic. */
  handler(kind: "text" | "bytes", topic: string): RoomHandler | undefined;
  /** The connection is lost. */
  lost(): void;
}

/** Decodes packets and events of a Room of livekit-client into {@linkcode SdkEvents}. */
export class ClientEventDecoder {
  readonly #room: Internals;
  readonly #engine: Engine;
  readonly #calls: DecoderCalls;
  /** Streams of other SDKs that are read here, by their ids. */
  readonly #reading = new Map<string, { readonly from: string; readonly reader: SdkStreamReader }>();
  /** Streams that the Room does not see, by their keys. */
  readonly #hidden = new BoundedMap<string, true>(MAX_HIDDEN);
  readonly #listeners: readonly (readonly [string, (...values: never[]) => void])[];
  readonly #packetListener: PacketListener = (packet, encryptionType) => this.#packet(packet, encryptionType);
  /** The Room does not tell that another connection has taken over an identity: its participant gets another sid. */
  readonly #updateListener: UpdateListener = (news) => {
    for (const { identity, sid, state } of news) {
      if (identity !== "" && identity !== this.#room.localParticipant.identity && state !== DISCONNECTED) {
        this.#events?.joined(identity, sid);
      }
    }
  };
  #events: SdkEvents | undefined;
  #sid: string;
  #isTaking = false;

  constructor(room: Internals, engine: Engine, calls: DecoderCalls) {
    this.#room = room;
    this.#engine = engine;
    this.#calls = calls;
    this.#sid = room.localParticipant.sid;
    this.#listeners = [
      ["participantConnected", ({ identity, sid }: Participant) => this.#events?.joined(identity, sid)],
      ["participantDisconnected", ({ identity }: Participant) => this.#events?.left(identity)],
      ["participantPermissionsChanged", (_previous: unknown, participant: Participant) => this.#permission(participant)],
      ["signalReconnecting", () => this.#lost()],
      ["reconnecting", () => this.#lost()],
      ["reconnected", () => this.#reconnected()],
      ["disconnected", (reason: unknown) => this.#events?.disconnected(`reason is ${String(reason ?? "unknown")}`)],
    ];
  }

  /** Starts calling the events. */
  start(events: SdkEvents): void {
    this.#events = events;
    this.#engine.prependListener("dataPacketReceived", this.#packetListener);
    this.#engine.on("participantUpdate", this.#updateListener);
    for (const [name, listener] of this.#listeners) this.#room.on(name, listener);
  }

  /** Stops calling the events, those of readers included. */
  stop(): void {
    this.#events = undefined;
    this.#engine.off("dataPacketReceived", this.#packetListener);
    this.#engine.off("participantUpdate", this.#updateListener);
    for (const [name, listener] of this.#listeners) this.#room.off(name, listener);
    for (const { reader } of [...this.#reading.values()]) reader.stop();
    this.#reading.clear();
  }

  /** Notes a handler that was registered on the Room; one that takes a single stream is none. */
  registered(kind: "text" | "bytes", topic: string): void {
    if (!this.#isTaking) this.#events?.registered(kind, topic);
  }

  #lost(): void {
    this.#calls.lost();
    this.#events?.lost();
  }

  #reconnected(): void {
    const { sid } = this.#room.localParticipant;
    const isNew = this.#sid !== "" && this.#sid !== sid;
    this.#sid = sid;
    this.#events?.reconnected(isNew);
  }

  #permission({ identity, permissions }: Participant): void {
    const mayPublish = permissions?.canPublishData !== false;
    if (identity === this.#room.localParticipant.identity) this.#events?.permitted(mayPublish);
    else this.#events?.othersPermitted(identity, mayPublish);
  }

  #packet(packet: DataPacket, encryptionType: number): void {
    const { case: name, value } = packet.value;
    const from = packet.participantIdentity;
    if (name === "streamHeader") this.#header(packet, from, encryptionType);
    else if (name === "streamChunk") this.#chunk(value, from);
    else if (name === "streamTrailer") this.#events?.trailer(trailerOf(value), from);
    if (name === "streamChunk" || name === "streamTrailer") this.#hideForged(packet, value.streamId);
  }

  /** Gives a chunk to the runtime, which copies what it keeps. Memory that the Room will not read is freed. */
  #chunk({ streamId, chunkIndex, content }: ChunkMessage, from: string): void {
    this.#events?.chunk(streamId, Number(chunkIndex), content, from);
    if (this.#hidden.get(keyOf(streamId, from)) !== undefined) freeMemory(content.buffer);
  }

  /** Keeps packets of other senders from the SDK's readers: the SDK knows streams by their ids alone. */
  #hideForged(packet: DataPacket, streamId: string): void {
    const reading = this.#reading.get(streamId);
    if (reading !== undefined && reading.from !== packet.participantIdentity) packet.value = {};
  }

  /** Decides who reads a stream. A header that the Room must not see is taken out of its packet, and the Room ignores the stream's chunks. */
  #header(packet: DataPacket, from: string, encryptionType: number): void {
    const message = packet.value.value as HeaderMessage & { contentHeader: { case?: string; value?: unknown } };
    const header = headerOf(message, message.contentHeader);
    const { kind } = header.content;
    this.#events?.header(header, from);
    const { streamId } = header;
    this.#hidden.delete(keyOf(streamId, from));
    const reader = new SdkStreamReader(() => {
      if (this.#reading.get(streamId)?.reader === reader) this.#reading.delete(streamId);
    });
    const place = this.#events?.opened(header, from, reader, this.#calls.handler(kind, header.topic) !== undefined);
    if (place === "room" || place === undefined) return;
    if (place === "nowhere") this.#hidden.set(keyOf(streamId, from), true);
    if (place === "here") {
      if (!this.#reading.has(streamId)) this.#reading.set(streamId, { from, reader });
      this.#takeReader(kind, message, from, encryptionType, (made) => reader.take(made));
    }
    packet.value = {};
  }

  /** Gets the SDK's reader of a stream, by a handler on the stream's topic for the moment in which the SDK looks for one. */
  #takeReader(
    kind: "text" | "bytes",
    message: HeaderMessage & { topic: string },
    from: string,
    encryptionType: number,
    take: (reader: ClientReader) => void,
  ): void {
    const manager = this.#room.incomingDataStreamManager;
    const handlers: RoomHandlers = kind === "text" ? manager.textStreamHandlers : manager.byteStreamHandlers;
    this.#isTaking = true;
    handlers.set(message.topic, (made) => take(made as unknown as ClientReader));
    try {
      Promise.resolve(manager.handleStreamHeader(message, from, encryptionType)).catch(() => {}); // the reader's stream fails by itself
    } catch {
      // A second stream of an id in use: it has no reader, and ends by its packets.
    } finally {
      handlers.delete(message.topic);
      this.#isTaking = false;
    }
  }
}

/** Key of a sender's stream: the length of its identity keeps two pairs apart. */
function keyOf(streamId: string, from: string): string {
  return `${from.length} ${from}${streamId}`;
}
