// Packets and events of livekit-client below its public API; only this folder knows them. The public API cannot name the destinations of
// chunks, and its reader has no chunk indices and no back-pressure.
import type { StreamHeader, TrailerPacket } from "../../protocol/wire/packets.ts";
import type { AdoptableRoom } from "../livekit/sdk/adoptable.ts";
import type { SdkEvents } from "../livekit/sdk/events.ts";
import { type FfiMessage, headerMessage } from "../livekit/sdk/ffi_messages.ts";
import { type RoomHandler, type RoomHandlers, watchHandlers } from "../livekit/sdk/room_handlers.ts";
import { UNHANDLED_METHOD, UNREACHED } from "../livekit/sdk/rpc.ts";
import type { SdkRoomApi } from "../livekit/transport.ts";
import { ClientEventDecoder } from "./event_decoder.ts";
import { chunkPacketClass } from "./chunk_packet.ts";
import { type DataPacketClass, type Engine, type Internals, internalsOf, RELIABLE } from "./internals.ts";
import { SentPackets } from "./sent_packets.ts";

const KINDS = ["text", "bytes"] as const;

/** The SDK's own bound of the data channel's buffer, in bytes. */
const SDK_BUFFERED_BYTES = 64 * 1024;

/** Time after which a full buffer, or the connection, is looked at again, in ms: a new connection has another channel. */
const LOOK_AGAIN_MS = 500;

/** Connected Room of livekit-client. */
export class ClientRoom implements SdkRoomApi {
  readonly identity: string;
  readonly #internals: Internals;
  readonly #engine: Engine;
  readonly #DataPacket: DataPacketClass;
  readonly #sent = new SentPackets();
  readonly #decoder: ClientEventDecoder;
  #unwatch: (() => void)[] = [];
  #bufferedBytes = SDK_BUFFERED_BYTES;
  /** Ends the waits for the buffer and the answers to calls; set by `stop`. */
  #stopped: Error | undefined;
  readonly #waiting = new Set<() => void>();
  readonly #calls = new Set<(isHere: boolean) => void>();

  constructor(room: AdoptableRoom) {
    const { internals, engine, DataPacket } = internalsOf(room);
    this.#internals = internals;
    this.#engine = engine;
    this.#DataPacket = chunkPacketClass(DataPacket, (packet) => this.connected && this.#sent.add(packet));
    this.#decoder = new ClientEventDecoder(internals, engine, {
      handler: (kind, topic) => this.handler(kind, topic),
      lost: () => this.#sent.leave(),
    });
    this.identity = internals.localParticipant.identity;
  }

  /** The Room's list of other participants, with their sids. */
  get participants(): ReadonlyMap<string, string | undefined> {
    return new Map([...this.#internals.remoteParticipants].map(([identity, { sid }]) => [identity, sid]));
  }

  get connected(): boolean {
    return this.#internals.state === "connected";
  }

  get mayPublish(): boolean {
    return this.#internals.localParticipant.permissions?.canPublishData !== false;
  }

  /** Starts calling `events`, before the Room's own listeners. */
  listen(events: SdkEvents): void {
    this.#decoder.start(events);
    this.#unwatch = KINDS.map((kind) => watchHandlers(this.#handlers(kind), (topic) => this.#decoder.registered(kind, topic)));
  }

  /** Finds the handler that is registered on the Room for a topic. */
  handler(kind: "text" | "bytes", topic: string): RoomHandler | undefined {
    return this.#handlers(kind).get(topic);
  }

  #handlers(kind: "text" | "bytes"): RoomHandlers {
    const { textStreamHandlers, byteStreamHandlers } = this.#internals.incomingDataStreamManager;
    return kind === "text" ? textStreamHandlers : byteStreamHandlers;
  }

  /** Stops all events. Rejects waiting requests with `error`. */
  stop(error: Error): void {
    this.#stopped = error;
    this.#decoder.stop();
    for (const unwatch of this.#unwatch.splice(0)) unwatch();
    for (const wake of [...this.#waiting]) wake();
    for (const answer of [...this.#calls]) answer(false);
  }

  /**
   * Resolves with whether a participant answers an RPC in time. The server does not list hidden participants and newcomers, but the SDK of
   * each participant answers calls by itself.
   */
  isHere(identity: string, milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const answer = (isHere: boolean): void => {
        clearTimeout(timer);
        this.#calls.delete(answer);
        resolve(isHere);
      };
      const timer = setTimeout(() => answer(false), milliseconds);
      this.#calls.add(answer);
      this.#internals.localParticipant.performRpc({ destinationIdentity: identity, method: UNHANDLED_METHOD, payload: "" })
        .then(() => answer(true), (error: { code?: number }) => answer(error.code !== undefined && !UNREACHED.has(error.code)));
    });
  }

  /** Sets the bound of the data channel's buffer, in bytes; packets beyond it wait. */
  setBufferedAmount(bytes: number): void {
    this.#bufferedBytes = bytes;
    const channel = this.#engine.dataChannelForKind(RELIABLE);
    if (channel !== undefined) channel.bufferedAmountLowThreshold = bytes;
  }

  /** Gives the data channel's buffer the SDK's own bound. */
  restoreBufferedAmount(): void {
    this.setBufferedAmount(SDK_BUFFERED_BYTES);
  }

  /** State of the connection by a request's error: closed for good, lost for a while, or open. */
  connectionAfter(): "closed" | "lost" | "open" {
    const { state, engine } = this.#internals;
    if (state === "disconnected" || engine !== this.#engine) return "closed";
    return state === "connected" ? "open" : "lost";
  }

  /** Opens the data channel, which the SDK does for the first packet. Waiting packets look at the channel again. */
  async releaseRequests(): Promise<void> {
    for (const wake of [...this.#waiting]) wake();
    try {
      if (this.connected && this.#engine.dataChannelForKind(RELIABLE)?.readyState !== "open") {
        await this.sendChunk("", 0, new Uint8Array(), [this.identity]);
      }
    } catch {
      // The room has ended, which an event reports.
    }
  }

  sendHeader(header: StreamHeader, destinations: readonly string[]): Promise<void> {
    return this.#send({ case: "streamHeader", value: headerMessage(header) }, destinations);
  }

  sendChunk(streamId: string, index: number, content: Uint8Array, destinations: readonly string[]): Promise<void> {
    return this.#send({ case: "streamChunk", value: { streamId, chunkIndex: BigInt(index), content } }, destinations);
  }

  sendTrailer({ streamId, reason, attributes }: TrailerPacket, destinations: readonly string[]): Promise<void> {
    return this.#send({ case: "streamTrailer", value: { streamId, reason, attributes: { ...attributes } } }, destinations);
  }

  /** Sends a packet once the data channel's buffer has room. An empty list of destinations means everybody. */
  async #send(value: FfiMessage, destinationIdentities: readonly string[]): Promise<void> {
    await this.#room();
    if (this.#stopped !== undefined) throw this.#stopped;
    await this.#engine.sendDataPacket(
      new this.#DataPacket({ value, destinationIdentities: [...destinationIdentities] }),
      RELIABLE,
    );
  }

  /**
   * Waits until the buffer holds at most the bound. A connected Room without an open channel opens one for a packet. A Room that connects
   * anew must not get one: the SDK would keep its failure, and reject all later packets with it.
   */
  async #room(): Promise<void> {
    while (this.#stopped === undefined) {
      const channel = this.#engine.dataChannelForKind(RELIABLE);
      const isOpen = channel?.readyState === "open";
      if (isOpen ? channel.bufferedAmount <= this.#bufferedBytes : this.connected) return;
      await this.#change(channel);
    }
  }

  #change(channel: RTCDataChannel | undefined): Promise<void> {
    if (channel !== undefined) channel.bufferedAmountLowThreshold = this.#bufferedBytes; // a new connection's channel has the SDK's
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        channel?.removeEventListener("bufferedamountlow", wake);
        channel?.removeEventListener("close", wake);
        resolve();
      };
      const timer = setTimeout(wake, LOOK_AGAIN_MS);
      this.#waiting.add(wake);
      channel?.addEventListener("bufferedamountlow", wake);
      channel?.addEventListener("close", wake);
    });
  }
}
