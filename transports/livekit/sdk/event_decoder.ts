import type { ReaderEvents, SdkEvents, SdkReader } from "./events.ts";
import { type FfiMessage, type HeaderMessage, headerOf, trailerOf } from "./ffi_messages.ts";
import { Connection, type ConnectionStats } from "./connection.ts";
import type { FfiClient, Internals } from "./internals.ts";
import type { RoomHandler } from "./room_handlers.ts";

/** Topic without a handler on any Room. */
const UNHANDLED_TOPIC: string = crypto.randomUUID();

const utf8 = new TextEncoder();

/** Room whose messages are decoded. */
export interface DecodedRoom {
  readonly internals: Internals;
  readonly client: FfiClient;
  /** Finds the Room's handler of a topic. */
  handler(kind: "text" | "bytes", topic: string): RoomHandler | undefined;
  /** Resolves with the connection's statistics; undefined if there are none. */
  stats(): Promise<ConnectionStats | undefined>;
}

/** Decodes messages of the SDK into {@linkcode SdkEvents} of one room. */
export class SdkEventDecoder {
  readonly #room: DecodedRoom;
  readonly #identity: string;
  readonly #readers = new Map<bigint, ReaderEvents>();
  #events: SdkEvents | undefined;
  #sid: string | undefined;
  #connection: Connection | undefined;
  /** Whether the connection is lost, and whether the server has told of a new sid since. */
  #isLost = false;
  #hasNewSid = false;
  #disconnected = false;

  constructor(room: DecodedRoom) {
    this.#room = room;
    this.#identity = room.internals.localParticipant.identity;
    this.#sid = room.internals.localParticipant.info.sid;
  }

  /** True once the room has ended. */
  get disconnected(): boolean {
    return this.#disconnected;
  }

  /** Starts calling the events. */
  start(events: SdkEvents): void {
    this.#events = events;
    this.#connection = new Connection(() => this.#room.stats());
  }

  /** Stops calling the events, those of readers included. */
  stop(): void {
    this.#events = undefined;
    this.#readers.clear();
  }

  /** Decodes an event of a room; events of other rooms are ignored. */
  roomEvent(event: { readonly roomHandle: bigint; message: FfiMessage }): void {
    if (event.roomHandle !== this.#room.internals.ffiHandle.handle) return;
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
        for (const { identity, sid } of value.participants) if (identity === this.#identity) this.#noteSid(sid);
        break;
      case "participantDisconnected":
        this.#events?.left(from);
        break;
      case "participantPermissionChanged":
        this.#notePermission(from, value.permission?.canPublishData !== false);
        break;
      case "reconnecting":
        this.#isLost = true;
        this.#events?.lost();
        break;
      case "reconnected":
        void this.#reconnected();
        break;
      case "disconnected":
      case "eos":
        this.#disconnect(name === "eos" ? "the room has ended" : String(value?.reason ?? "unknown"));
        break;
    }
  }

  /** Decodes an event of the SDK's reader of a stream. */
  readerEvent(handle: bigint, detail: FfiMessage): void {
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

  #notePermission(identity: string, mayPublish: boolean): void {
    if (identity === this.#identity) this.#events?.permitted(mayPublish);
    else this.#events?.othersPermitted(identity, mayPublish);
  }

  #noteSid(sid: string): void {
    const renewed = this.#sid !== undefined && this.#sid !== "" && this.#sid !== sid;
    this.#sid = sid;
    if (!renewed) return;
    if (this.#isLost) this.#hasNewSid = true;
    else this.#events?.renewed();
  }

  /** The server may tell of the new sid seconds later, or before. */
  async #reconnected(): Promise<void> {
    const isOther = await this.#connection?.isNew() ?? false;
    const isNew = isOther || this.#hasNewSid;
    if (isNew && !this.#hasNewSid) this.#sid = undefined; // it is still to come
    this.#isLost = false;
    this.#hasNewSid = false;
    this.#events?.reconnected(isNew);
  }

  #disconnect(reason: string): void {
    if (this.#disconnected) return;
    this.#disconnected = true;
    this.#events?.disconnected(reason);
  }

  #open(name: "textStreamOpened" | "byteStreamOpened", event: { message: FfiMessage }, from: string): void {
    const isText = name === "textStreamOpened";
    const { handle, info } = event.message.value.reader as OwnedReader;
    const handled = this.#room.handler(isText ? "text" : "bytes", info.topic) !== undefined;
    const content = isText ? { case: "textHeader", value: info } : { case: "byteHeader", value: info };
    const place = this.#events?.opened(headerOf(info, content), from, this.#reader(isText, handle.id), handled);
    // The Room frees a reader of an unhandled topic. So the Room must not see a reader that is read here, and must see one that nobody reads.
    if (place === "here") event.message = {};
    else if (place === "nowhere") info.topic = UNHANDLED_TOPIC;
  }

  #reader(isText: boolean, handle: bigint): SdkReader {
    const request = isText ? "textReadIncremental" : "byteReadIncremental";
    return {
      read: (events) => {
        this.#readers.set(handle, events);
        this.#room.client.request({ message: { case: request, value: { readerHandle: handle } } });
      },
      stop: () => void this.#readers.delete(handle),
    };
  }
}

interface OwnedReader {
  readonly handle: { readonly id: bigint };
  readonly info: HeaderMessage & { topic: string };
}
