// Requests and events of @livekit/rtc-node below its public API; only this folder knows them. The public API has three gaps. It sends chunks
// and trailers to everybody in the room, as only a stream's header has destinations. Its reader has no chunk indices and no trailer attributes.
// And a stream without a handler is lost. Versions 0.13.34 and 1.1.0 behave alike; `internalsOf` checks the parts that are used.
import type { StreamHeader, TrailerPacket } from "../../../protocol/wire/packets.ts";
import { SdkEventDecoder } from "./event_decoder.ts";
import type { SdkEvents } from "./events.ts";
import { type FfiMessage, headerMessage } from "./ffi_messages.ts";
import type { AdoptableRoom, RtcNodeRoom } from "./adoptable.ts";
import type { ConnectionStats } from "./connection.ts";
import { type FfiClient, type FfiEvent, type Internals, internalsOf } from "./internals.ts";
import { dropLogs } from "./native_logs.ts";
import { type RoomHandler, type RoomHandlers, watchHandlers } from "./room_handlers.ts";
import { UNHANDLED_METHOD, UNREACHED } from "./rpc.ts";

const KINDS = ["text", "bytes"] as const;

/** The SDK's number of the reliable data channel. */
const RELIABLE = 1;

/** The SDK's own bound of a data channel's buffer, in bytes; requests beyond it wait. */
const SDK_BUFFERED_BYTES: number = 2 * 1024 * 1024;

/** SDK error texts of a lost connection; packets may be sent again after the SDK has reconnected. */
const LOST = /engine is closed|enqueue publish packet|receive data from dc_task|failed to send data packet/;

/** SDK error text of a connection that is closed for good. */
const CLOSED = /engine is closed/;

/** Connected room, used by low-level requests and events. */
export class SdkRoom {
  readonly identity: string;
  readonly #room: RtcNodeRoom;
  readonly #internals: Internals;
  readonly #client: FfiClient;
  readonly #decoder: SdkEventDecoder;
  readonly #requests = new Map<bigint, { resolve: () => void; reject: (error: Error) => void }>();
  readonly #asked = new Map<bigint, (stats: ConnectionStats | undefined) => void>();
  readonly #calls = new Map<bigint, (isHere: boolean) => void>();
  readonly #listener: (event: FfiEvent) => void = (event) => this.#receive(event.message);
  #unwatch: (() => void)[] = [];
  #releasing = false;

  constructor(adopted: AdoptableRoom) {
    const { room, internals, client } = internalsOf(adopted);
    this.#room = room;
    this.#internals = internals;
    this.#client = client;
    this.#decoder = new SdkEventDecoder({
      internals,
      client,
      handler: (kind, topic) => this.handler(kind, topic),
      stats: () => this.#askStats(),
    });
    this.identity = internals.localParticipant.identity;
    dropLogs(internals.ffiHandle, (event) => client.emit("ffi_event", event));
  }

  /** The Room's list of other participants, with their sids. */
  get participants(): ReadonlyMap<string, string | undefined> {
    return new Map([...this.#room.remoteParticipants].map(([identity, { sid }]) => [identity, sid]));
  }

  get connected(): boolean {
    return !this.#decoder.disconnected && this.#room.isConnected;
  }

  get mayPublish(): boolean {
    return this.#internals.localParticipant.info.permission?.canPublishData !== false;
  }

  /** Starts calling `events`, before the Room's own listeners, so that a reader can be taken before the Room drops it. */
  listen(events: SdkEvents): void {
    this.#client.prependListener("ffi_event", this.#listener);
    this.#decoder.start(events);
    this.#unwatch = KINDS.map((kind) => watchHandlers(this.#handlers(kind), (topic) => events.registered(kind, topic)));
  }

  /** Finds the handler that is registered on the Room for a topic. */
  handler(kind: "text" | "bytes", topic: string): RoomHandler | undefined {
    return this.#handlers(kind).get(topic);
  }

  #handlers(kind: "text" | "bytes"): RoomHandlers {
    return kind === "text" ? this.#internals.textStreamHandlers : this.#internals.byteStreamHandlers;
  }

  /** Stops all events. Rejects unanswered requests with `error`. */
  stop(error: Error): void {
    this.#decoder.stop();
    for (const unwatch of this.#unwatch.splice(0)) unwatch();
    this.#client.off("ffi_event", this.#listener);
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const { reject } of requests) reject(error);
    for (const answer of [...this.#calls.values()]) answer(false);
    for (const answer of [...this.#asked.values()]) answer(undefined);
    this.#asked.clear();
  }

  /**
   * Resolves with whether a participant answers an RPC in time. The server does not list hidden participants and newcomers, but the SDK of
   * each participant answers calls by itself.
   */
  isHere(identity: string, milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const { asyncId } = this.#client.request({
        message: {
          case: "performRpc",
          value: { localParticipantHandle: this.#handle, destinationIdentity: identity, method: UNHANDLED_METHOD, payload: "" },
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

  /** Sets the bound of the data channel's buffer, in bytes; requests beyond it wait. */
  setBufferedAmount(bytes: number): void {
    this.#client.request({
      message: {
        case: "setDataChannelBufferedAmountLowThreshold",
        value: { localParticipantHandle: this.#handle, threshold: BigInt(bytes), kind: RELIABLE },
      },
    });
  }

  /** Gives the data channel's buffer the SDK's own bound. */
  restoreBufferedAmount(): void {
    this.setBufferedAmount(SDK_BUFFERED_BYTES);
  }

  /** State of the connection by a request's error: closed for good, lost for a while, or open. */
  connectionAfter(error: unknown): "closed" | "lost" | "open" {
    const text = String(error);
    if (CLOSED.test(text)) return "closed";
    return LOST.test(text) ? "lost" : "open";
  }

  /**
   * Releases requests that wait for space in the data channel, up to the SDK's own bound; then `bytes` is the bound again. While a request
   * waits, the SDK can neither reconnect nor report a disconnection, so a dead channel would block it for ever. A packet without a
   * receiver makes the SDK check the bound.
   */
  async releaseRequests(bytes: number): Promise<void> {
    if (this.#releasing || !this.connected) return;
    this.#releasing = true;
    try {
      this.setBufferedAmount(SDK_BUFFERED_BYTES);
      await this.sendChunk("", 0, new Uint8Array(), [this.identity]);
      this.setBufferedAmount(bytes);
    } catch {
      // The room has ended, which an event reports.
    } finally {
      this.#releasing = false;
    }
  }

  /** Disconnects the Room, which has hung: nothing else makes it say that its connection is lost. */
  abandon(): void {
    void this.#internals.disconnect().catch(() => {}); // it has ended by itself
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

  /** Makes a request; the SDK copies the bytes before this returns. An empty list of destinations means everybody. */
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
      if (asyncId === undefined) {
        throw new Error(`Cannot send as the SDK must answer each request with an id: request is "${name}"`);
      }
      this.#requests.set(asyncId, { resolve, reject });
    });
  }

  #askStats(): Promise<ConnectionStats | undefined> {
    return new Promise((resolve) => {
      const value = { roomHandle: this.#internals.ffiHandle.handle };
      const { asyncId } = this.#client.request({ message: { case: "getSessionStats", value } });
      if (asyncId === undefined) resolve(undefined);
      else this.#asked.set(asyncId, resolve);
    });
  }

  #receive({ case: name = "", value }: FfiMessage): void {
    switch (name) {
      case "sendStreamHeader":
      case "sendStreamChunk":
      case "sendStreamTrailer":
        this.#settle(value.asyncId, value.error);
        break;
      case "performRpc":
        this.#calls.get(value.asyncId)?.(!UNREACHED.has(value.error?.code));
        break;
      case "getSessionStats":
        this.#asked.get(value.asyncId)?.(value.message?.case === "result" ? value.message.value : undefined);
        this.#asked.delete(value.asyncId);
        break;
      case "textStreamReaderEvent":
      case "byteStreamReaderEvent":
        this.#decoder.readerEvent(value.readerHandle, value.detail);
        break;
      case "roomEvent":
        this.#decoder.roomEvent(value);
        break;
    }
  }

  #settle(asyncId: bigint, error: string | undefined): void {
    const request = this.#requests.get(asyncId);
    if (request === undefined) return; // another room's request, or one that `stop` rejected
    this.#requests.delete(asyncId);
    if (error === undefined || error === "") request.resolve();
    else request.reject(new Error(error));
  }
}
