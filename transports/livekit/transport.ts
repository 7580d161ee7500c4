import { StreamError } from "../../errors.ts";
import { type Clock, systemClock } from "../../common/clock.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import { Condition } from "./condition.ts";
import { PacketReceiver } from "./packet_receiver.ts";
import { BUFFERED_BYTES, PacketSender } from "./packet_sender.ts";
import { ParticipantSearch } from "./participant_search.ts";
import { Presence } from "./presence.ts";
import { adaptHandler } from "./sdk/room_handlers.ts";
import type { SdkRoom } from "./sdk/room.ts";
import { Unlisted } from "./unlisted.ts";
import { refusal } from "../packet_size.ts";
import type { Transport, TransportEvents, TransportHandler } from "../transport.ts";

/** Longest chunk, in bytes. Each packet is a request and an event of the SDK, a tenth of the CPU time of a 15,000 byte chunk. */
const LARGEST_CHUNK = 30_000;

/** Longest delay between a failed request and the event that explains it, in ms. A server that ends a room makes requests fail first. */
const LATE_EVENT_MS = 250;

/**
 * Time for the last packets to leave this machine, in ms. The SDK does not report that they have left, and leaving the room would drop
 * them: an abort, a goodbye, a receipt.
 */
const LAST_PACKETS_MS = 250;

/** Members of {@linkcode SdkRoom} that are used. An SDK that never hangs need not be abandoned. */
export type SdkRoomApi = Omit<SdkRoom, "abandon"> & Partial<Pick<SdkRoom, "abandon">>;

/** Transport in a room of a LiveKit server. */
export class LiveKitTransport implements Transport {
  readonly identity: string;
  readonly largestChunk = LARGEST_CHUNK;
  readonly hasUnlisted = true;
  readonly #sdk: SdkRoomApi;
  readonly #clock: Required<Clock>;
  readonly #release: () => void;
  readonly #sender: PacketSender;
  readonly #presence: Presence;
  readonly #unlisted: Unlisted;
  readonly #search: ParticipantSearch;
  readonly #receiver: PacketReceiver;
  /** Notified when a participant has joined or the transport has ended. */
  readonly #changed: Condition;
  #events: TransportEvents | undefined;
  /** Error of all later sends: the transport was closed, or the room has ended. */
  #ended: StreamError | undefined;
  /** Error of a room that has ended. */
  #disconnected: StreamError | undefined;
  #closing: Promise<void> | undefined;
  #mayPublish: boolean;

  constructor(sdk: SdkRoomApi, release: () => void, clock: Required<Clock> = systemClock) {
    this.identity = sdk.identity;
    this.#sdk = sdk;
    this.#clock = clock;
    this.#release = release;
    this.#mayPublish = sdk.mayPublish;
    this.#sender = new PacketSender(sdk, clock, () => this.#abandon());
    this.#changed = new Condition(clock);
    this.#unlisted = new Unlisted({
      ask: (identity) => this.#search.isHere(identity),
      gone: (identity) => this.#presence.leave(identity),
      later: (milliseconds, done) => {
        const timer = clock.setTimeout(done, milliseconds);
        return () => clock.clearTimeout(timer);
      },
      now: () => clock.now(),
    });
    this.#presence = new Presence(sdk.participants, {
      unlisted: (identity) => this.#unlisted.begin(identity),
      settled: (identity) => this.#unlisted.end(identity),
      joined: (identity) => {
        this.#changed.notify();
        this.#events?.joined(identity);
      },
      left: (identity) => {
        this.#receiver.drop(identity);
        this.#events?.left(identity);
      },
    });
    this.#search = new ParticipantSearch({
      sdk,
      clock,
      presence: this.#presence,
      changed: this.#changed,
      hasEnded: () => this.#ended !== undefined,
    });
    this.#receiver = new PacketReceiver({
      identity: sdk.identity,
      presence: this.#presence,
      unlisted: this.#unlisted,
      isOpen: () => this.#events !== undefined,
      deliver: (packet, from) => this.#events?.packet(packet, from),
    });
    this.#listen();
    sdk.setBufferedAmount(BUFFERED_BYTES);
  }

  #listen(): void {
    this.#sdk.listen({
      joined: (identity, sid) => this.#presence.join(identity, sid),
      left: (identity) => this.#presence.leave(identity),
      lost: () => this.#sender.hold(),
      reconnected: (isNew) => {
        this.#sdk.setBufferedAmount(BUFFERED_BYTES); // a new connection has the SDK's bound
        if (isNew) this.#renew();
        this.#sender.release();
      },
      renewed: () => this.#renew(),
      header: (header, from) => this.#receiver.header(header, from),
      chunk: (streamId, index, content, from) => this.#receiver.chunk(streamId, index, content, from),
      trailer: (trailer, from) => this.#receiver.trailer(trailer, from),
      opened: (header, from, reader, handled) => this.#receiver.opened(header, from, reader, handled),
      registered: (kind, topic) => this.#events?.registered?.(kind, topic),
      permitted: (mayPublish) => {
        this.#mayPublish = mayPublish;
      },
      // Without permission a participant can send neither stream states nor a hello: from now on it is treated as another SDK.
      othersPermitted: (identity, mayPublish) => {
        if (!mayPublish) this.#presence.rejoin(identity);
      },
      disconnected: (reason) => this.#disconnect(reason),
    });
  }

  #renew(): void {
    this.#sender.renew();
    for (const identity of this.#presence.identities) this.#receiver.drop(identity);
    this.#events?.renewed?.();
  }

  participants(): readonly string[] {
    return this.#presence.identities;
  }

  find(identities: readonly string[]): Promise<void> {
    return this.#search.find(identities);
  }

  handler(kind: "text" | "bytes", topic: string): TransportHandler | undefined {
    const handler = this.#sdk.handler(kind, topic);
    return handler && adaptHandler(kind, handler);
  }

  open(events: TransportEvents): void {
    this.#events = events;
    // The SDK connects for the first packet, which takes longer than a hello may.
    void this.#sdk.releaseRequests(BUFFERED_BYTES);
    if (this.#ended !== undefined) events.closed(this.#ended);
  }

  async send(packet: Packet, destinations?: readonly string[]): Promise<void> {
    const problem = this.#ended ?? refusal(packet) ?? this.#forbidden();
    if (problem !== undefined) throw problem;
    const to = destinations === undefined ? [] : [...new Set(destinations)].filter((identity) => identity !== this.identity);
    // An empty list means everybody to the SDK, and nobody here.
    if (destinations !== undefined && to.length === 0) return;
    for (const identity of to) this.#unlisted.note(identity);
    try {
      await this.#sender.send(packet, to);
    } catch (cause) {
      throw await this.#failure(packet, cause);
    }
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#events = undefined;
    const ended = this.#ended;
    this.#ended ??= new StreamError("disconnected", `Cannot send as the transport is closed: identity is "${this.identity}"`);
    if (ended === undefined) {
      await this.#sender.empty();
      await this.#pause(this.#sender.lastSentAt + LAST_PACKETS_MS - this.#clock.now());
      if (this.#sdk.connected) this.#sdk.restoreBufferedAmount();
    }
    this.#end();
  }

  #end(): void {
    this.#changed.notify();
    this.#receiver.clear();
    this.#unlisted.clear();
    if (this.#ended !== undefined) {
      this.#sdk.stop(this.#ended);
      this.#sender.stop(this.#ended);
    }
    this.#release();
  }

  /** Resolves after `milliseconds`, or when the room has ended. */
  async #pause(milliseconds: number): Promise<void> {
    const until = this.#clock.now() + milliseconds;
    for (let left = milliseconds; left > 0 && this.#disconnected === undefined; left = until - this.#clock.now()) {
      await this.#changed.wait(left);
    }
  }

  #forbidden(): StreamError | undefined {
    if (this.#mayPublish) return undefined;
    return new StreamError(
      "transport",
      `Cannot send as the participant may not publish data: identity is "${this.identity}", its token needs canPublishData`,
    );
  }

  async #failure({ type }: Packet, cause: unknown): Promise<StreamError> {
    if (cause instanceof StreamError) return cause;
    const text = String(cause);
    const connection = this.#sdk.connectionAfter(cause);
    if (connection === "closed") this.#disconnect(text); // the Room's event comes a little later
    else if (connection !== "lost" && this.#ended === undefined) await this.#changed.wait(LATE_EVENT_MS);
    if (this.#ended !== undefined) return this.#ended;
    if (connection === "open") {
      return new StreamError("transport", `Cannot send the ${type} as the room refused it: ${text}`, { cause });
    }
    return new StreamError("disconnected", `Cannot send the ${type} as the room's connection was lost: ${text}`, { cause });
  }

  #abandon(): void {
    if (this.#sdk.abandon === undefined || this.#ended !== undefined) return;
    this.#disconnect("the SDK hung while its connection was lost");
    this.#sdk.abandon();
  }

  #disconnect(reason: string): void {
    if (this.#disconnected !== undefined) return;
    this.#disconnected = new StreamError("disconnected", `Cannot send as the room is disconnected: ${reason}`, { reason });
    this.#ended ??= this.#disconnected;
    this.#presence.clear();
    this.#end();
    this.#events?.closed(this.#disconnected);
  }
}
