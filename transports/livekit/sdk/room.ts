// Requests and events of @livekit/rtc-node below its public API. Only this folder knows
// them. The public API puts destinations on a stream's header alone, so that chunks and trailers reach everybody in the room; gives a
// reader no index of a chunk and no attributes of a trailer; and keeps no stream whose handler is not yet registered. The requests and
// events do all that. Seen alike in 0.13.34 and 1.1.0; what is used is looked for when a room is adopted.
import type { StreamHeader, TrailerPacket } from "../../../protocol/wire/packets.ts";
import { type AdoptableRoom, type FfiClient, type FfiEvent, inside, type Internals } from "./internals.ts";
import { dropLogs } from "./native_logs.ts";
import { type RoomHandler, type RoomHandlers, watchHandlers } from "./room_handlers.ts";
import { type FfiMessage, type HeaderMessage, headerMessage, headerOf, trailerOf } from "./ffi_messages.ts";

/** Events of a room from the SDK, in the order in which they happened. */
export interface SdkEvents {
  /** `sid` is the server's name for this life of the participant. The news may be seconds old, and that of one who was known already. */
  joined(identity: string, sid: string): void;
  left(identity: string): void;
  /** The connection is lost: the Room tries to resume it, or else to make it anew. */
  lost(): void;
  /** It is there again. */
  reconnected(): void;
  /** This participant is a new one to the server and to all others: they were told that the one before had left. */
  renewed(): void;
  header(header: StreamHeader, from: string): void;
  chunk(streamId: string, index: number, content: Uint8Array, from: string): void;
  trailer(trailer: TrailerPacket, from: string): void;
  /** A stream for which the SDK made a reader. `handled` says that a handler for its topic is registered on the Room. */
  opened(header: StreamHeader, from: string, reader: SdkReader, handled: boolean): Place;
  /** A handler was registered on the Room. */
  registered(kind: "text" | "bytes", topic: string): void;
  /** The participant may not publish data any more, or may again. */
  permitted(mayPublish: boolean): void;
  /** The same of another participant. */
  othersPermitted(identity: string, mayPublish: boolean): void;
  disconnected(reason: string): void;
}

/** Where a stream is to be read for which the SDK made a reader: "here", by the "room" as if nobody had looked, or "nowhere". */
export type Place = "here" | "room" | "nowhere";

/** The SDK's reader of a stream: it decodes what newer SDKs put into one packet, or compress. */
export interface SdkReader {
  /** Starts it, once. Text comes as the bytes it is on the wire. */
  read(events: ReaderEvents): void;
  /** Stops telling of it. */
  stop(): void;
}

export interface ReaderEvents {
  chunk(content: Uint8Array): void;
  /**
   * `error` says why it ended before it was whole; `attributes` are the header's with the trailer's over them. A connection that ends may
   * end it cleanly.
   */
  end(attributes: Readonly<Record<string, string>>, error: string | undefined): void;
}

const KINDS = ["text", "bytes"] as const;

/** Kinds of the SDK's data channels. */
const RELIABLE = 1;

/** The SDK's own bound of what a data channel holds before requests are made to wait, in bytes. */
export const SDK_BUFFERED_BYTES: number = 2 * 1024 * 1024;

/** A method that nobody has registered: whoever is here answers so, and no program hears of the call. */
const NOBODYS_METHOD = "millrace.here";

/** Codes of calls that did not reach anybody: the recipient is not found or gone, it did not answer, the packet could not be sent. */
const UNREACHED: ReadonlySet<number> = new Set([1401, 1403, 1501, 1503, 1505]);

/** A topic that no handler is registered for. */
const NOBODYS_TOPIC: string = crypto.randomUUID();

const utf8 = new TextEncoder();

/** A connected room by its low-level requests and events. */
export class Sdk {
  readonly identity: string;
  readonly #room: AdoptableRoom;
  readonly #internals: Internals;
  readonly #client: FfiClient;
  readonly #pending = new Map<bigint, { resolve: () => void; reject: (error: Error) => void }>();
  readonly #calls = new Map<bigint, (isHere: boolean) => void>();
  readonly #readers = new Map<bigint, ReaderEvents>();
  readonly #listener: (event: FfiEvent) => void = (event) => this.#take(event.message);
  #events: SdkEvents | undefined;
  #unwatch: (() => void)[] = [];
  #sid: string | undefined;
  #connected = true;
  #lettingOut = false;

  constructor(room: AdoptableRoom) {
    const { internals, client } = inside(room);
    this.#room = room;
    this.#internals = internals;
    this.#client = client;
    this.identity = internals.localParticipant.identity;
    this.#sid = internals.localParticipant.info.sid;
    dropLogs(internals.ffiHandle, (event) => client.emit("ffi_event", event));
  }

  /** The others and their sids, by what the Room itself knows. */
  get participants(): ReadonlyMap<string, string | undefined> {
    return new Map([...this.#room.remoteParticipants].map(([identity, { sid }]) => [identity, sid]));
  }

  get connected(): boolean {
    return this.#connected && this.#room.isConnected;
  }

  get mayPublish(): boolean {
    return this.#internals.localParticipant.info.permission?.canPublishData !== false;
  }

  /** Starts to tell of events; before all listeners of the Room itself, so that a reader can be taken before the Room drops it. */
  listen(events: SdkEvents): void {
    this.#events = events;
    this.#client.prependListener("ffi_event", this.#listener);
    this.#unwatch = KINDS.map((kind) => watchHandlers(this.#handlers(kind), (topic) => this.#events?.registered(kind, topic)));
  }

  /** The handler that is registered on the Room for a topic. */
  handler(kind: "text" | "bytes", topic: string): RoomHandler | undefined {
    return this.#handlers(kind).get(topic);
  }

  #handlers(kind: "text" | "bytes"): RoomHandlers {
    return kind === "text" ? this.#internals.textStreamHandlers : this.#internals.byteStreamHandlers;
  }

  /** Nothing is told any more, and what was asked for and not answered rejects. */
  stop(why: Error): void {
    this.#events = undefined;
    for (const unwatch of this.#unwatch.splice(0)) unwatch();
    this.#readers.clear();
    this.#client.off("ffi_event", this.#listener);
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(why);
    for (const answer of [...this.#calls.values()]) answer(false);
  }

  /**
   * Whether a participant answers within so many milliseconds; of hidden ones, and of newcomers, the server does not tell. It is asked by a
   * call, as each SDK answers calls by itself.
   */
  isHere(identity: string, milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const { asyncId } = this.#client.request({
        message: {
          case: "performRpc",
          value: { localParticipantHandle: this.#handle, destinationIdentity: identity, method: NOBODYS_METHOD, payload: "" },
        },
      });
      if (asyncId === undefined) return resolve(false);
      const timer = setTimeout(() => this.#calls.get(asyncId)?.(false), milliseconds);
      this.#calls.set(asyncId, (isHere) => {
        clearTimeout(timer);
        this.#calls.delete(asyncId);
        resolve(isHere);
      });
    });
  }

  /** Bytes that the data channel holds before requests are made to wait. */
  setBufferedAmount(bytes: number): void {
    this.#client.request({
      message: {
        case: "setDataChannelBufferedAmountLowThreshold",
        value: { localParticipantHandle: this.#handle, threshold: BigInt(bytes), kind: RELIABLE },
      },
    });
  }

  /**
   * Lets requests out that wait for room in the data channel, up to the SDK's own bound. While one waits, the SDK can neither reconnect nor
   * say that it is disconnected: in a channel that is dead all that would be for ever. A packet for nobody makes it look.
   */
  async letOut(bytes: number): Promise<void> {
    if (this.#lettingOut || !this.connected) return;
    this.#lettingOut = true;
    try {
      this.setBufferedAmount(SDK_BUFFERED_BYTES);
      await this.sendChunk("", 0, new Uint8Array(), [this.identity]);
      this.setBufferedAmount(bytes);
    } catch {
      // The room has ended, which is told of elsewhere.
    } finally {
      this.#lettingOut = false;
    }
  }

  sendHeader(header: StreamHeader, destinations: readonly string[]): Promise<void> {
    const { senderIdentity } = header;
    return this.#request("sendStreamHeader", destinations, {
      header: headerMessage(header),
      ...(senderIdentity === undefined ? {} : { senderIdentity }),
    });
  }

  sendChunk(streamId: string, index: number, content: Uint8Array, destinations: readonly string[]): Promise<void> {
    return this.#request("sendStreamChunk", destinations, { chunk: { streamId, chunkIndex: BigInt(index), content } });
  }

  sendTrailer({ streamId, reason, attributes }: TrailerPacket, destinations: readonly string[]): Promise<void> {
    return this.#request("sendStreamTrailer", destinations, { trailer: { streamId, reason, attributes: { ...attributes } } });
  }

  get #handle(): bigint {
    return this.#internals.localParticipant.ffi_handle.handle;
  }

  /** The bytes are copied before it returns. No destination means everybody. */
  #request(name: string, destinationIdentities: readonly string[], value: Record<string, unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const { asyncId } = this.#client.request({
        message: {
          case: name,
          value: {
            localParticipantHandle: this.#handle,
            senderIdentity: this.identity,
            ...value,
            destinationIdentities: [...destinationIdentities],
          },
        },
      });
      if (asyncId === undefined) throw new Error(`The SDK gave no answer to "${name}"`);
      this.#pending.set(asyncId, { resolve, reject });
    });
  }

  #take({ case: name = "", value }: FfiMessage): void {
    switch (name) {
      case "sendStreamHeader":
      case "sendStreamChunk":
      case "sendStreamTrailer":
        this.#settle(value.asyncId, value.error);
        break;
      case "performRpc":
        this.#calls.get(value.asyncId)?.(!UNREACHED.has(value.error?.code));
        break;
      case "textStreamReaderEvent":
      case "byteStreamReaderEvent":
        this.#tellReader(value.readerHandle, value.detail);
        break;
      case "roomEvent":
        if (value.roomHandle === this.#internals.ffiHandle.handle) this.#tell(value);
        break;
    }
  }

  #settle(asyncId: bigint, error: string | undefined): void {
    const pending = this.#pending.get(asyncId);
    if (pending === undefined) return; // another room's, or a stopped one's
    this.#pending.delete(asyncId);
    if (error === undefined || error === "") pending.resolve();
    else pending.reject(new Error(error));
  }

  #tell(event: { message: FfiMessage }): void {
    const { case: name = "", value } = event.message;
    const from: string = value?.participantIdentity ?? "";
    switch (name) {
      case "streamHeaderReceived":
        this.#events?.header(headerOf(value.header, value.header.contentHeader), from);
        break;
      case "streamChunkReceived":
        this.#events?.chunk(value.chunk.streamId, Number(value.chunk.chunkIndex), value.chunk.content, from);
        break;
      case "streamTrailerReceived":
        this.#events?.trailer(trailerOf(value.trailer), from);
        break;
      case "textStreamOpened":
      case "byteStreamOpened":
        this.#open(name, event, from);
        break;
      case "participantConnected":
        this.#events?.joined(value.info.info.identity, value.info.info.sid);
        break;
      case "participantsUpdated":
        for (const { identity, sid } of value.participants) if (identity === this.identity) this.#noteSid(sid);
        break;
      case "participantDisconnected":
        this.#events?.left(from);
        break;
      case "participantPermissionChanged":
        this.#notePermission(from, value.permission?.canPublishData !== false);
        break;
      case "reconnecting":
        this.#events?.lost();
        break;
      case "reconnected":
        this.#events?.reconnected();
        break;
      case "disconnected":
      case "eos":
        this.#disconnect(name === "eos" ? "the room has ended" : String(value?.reason ?? "unknown"));
        break;
    }
  }

  #notePermission(identity: string, mayPublish: boolean): void {
    if (identity === this.identity) this.#events?.permitted(mayPublish);
    else this.#events?.othersPermitted(identity, mayPublish);
  }

  #noteSid(sid: string): void {
    const renewed = this.#sid !== undefined && this.#sid !== "" && this.#sid !== sid;
    this.#sid = sid;
    if (renewed) this.#events?.renewed();
  }

  #disconnect(reason: string): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#events?.disconnected(reason);
  }

  #open(name: "textStreamOpened" | "byteStreamOpened", event: { message: FfiMessage }, from: string): void {
    const text = name === "textStreamOpened";
    const { handle, info } = event.message.value.reader as OwnedReader;
    const handled = this.handler(text ? "text" : "bytes", info.topic) !== undefined;
    const content = text ? { case: "textHeader", value: info } : { case: "byteHeader", value: info };
    const read = text ? "textReadIncremental" : "byteReadIncremental";
    const reader: SdkReader = {
      read: (events) => {
        this.#readers.set(handle.id, events);
        this.#client.request({ message: { case: read, value: { readerHandle: handle.id } } });
      },
      stop: () => void this.#readers.delete(handle.id),
    };
    const place = this.#events?.opened(headerOf(info, content), from, reader, handled);
    // The Room frees a reader for whose topic it has no handler: one that is read here must not come to it, one that nobody reads must.
    if (place === "here") event.message = {};
    else if (place === "nowhere") info.topic = NOBODYS_TOPIC;
  }

  #tellReader(handle: bigint, detail: FfiMessage): void {
    const events = this.#readers.get(handle);
    if (events === undefined) return;
    if (detail.case === "chunkReceived") {
      const { content } = detail.value;
      events.chunk(typeof content === "string" ? utf8.encode(content) : content);
    } else if (detail.case === "eos") {
      this.#readers.delete(handle);
      events.end({ ...detail.value.attributes }, detail.value.error?.description);
    }
  }
}

interface OwnedReader {
  readonly handle: { readonly id: bigint };
  readonly info: HeaderMessage & { topic: string };
}
