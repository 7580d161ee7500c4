import { StreamError } from "../../errors.ts";
import { type Clock, systemClock } from "../../protocol/clock.ts";
import { CONTROL_STREAM_ID, MAX_CHUNK_SIZE, OWN_ATTRIBUTE } from "../../protocol/constants.ts";
import { decodeControl } from "../../protocol/wire/control.ts";
import type { Packet, StreamHeader } from "../../protocol/wire/packets.ts";
import { Presence } from "./presence.ts";
import { ForeignReaders } from "./sdk_readers.ts";
import { adaptHandler } from "./sdk/room_handlers.ts";
import { type Sdk, SDK_BUFFERED_BYTES } from "./sdk/room.ts";
import { Unlisted } from "./unlisted.ts";
import { SerialQueue } from "./serial_queue.ts";
import { refusal } from "../packet_size.ts";
import type { Transport, TransportEvents, TransportHandler } from "../transport.ts";

/**
 * Bytes that the data channel may hold before a request waits for it, of 2 MiB by default. All from 16 kB to 1 MiB gave the same
 * goodput, within noise; none gave less. What waits here is not in the way of what is sent next.
 */
const BUFFERED_BYTES = 64_000;

/** Each packet is a request to the SDK and an event from it: a tenth of the work for 15,000 bytes. */
const LARGEST_CHUNK = 30_000;

/**
 * Milliseconds after which a request that was not answered may wait for a data channel that is dead. If it is only slow, a packet more is
 * in the way of what is sent next.
 */
const STUCK_AFTER = 2_000;

/** Milliseconds by which the Room may tell later than a request that it has ended: a server that ends a room makes requests fail first. */
const LATE_NEWS = 250;

/** The SDK's words for a packet that was not sent as the connection it was for is gone, and for one that will be sent never more. */
const LOST = /engine is closed|enqueue publish packet|receive data from dc_task|failed to send data packet/;
const CLOSED = /engine is closed/;

/**
 * Milliseconds after which news of a participant has come. A server tells of those who publish no tracks once in 3 s, and of hidden ones
 * never; whoever sends or answers something is known from that.
 */
const NEWS_DELAY = 3_500;

/** Milliseconds after which one who is looked for is asked again: a newcomer's connection may not have been made. */
const ASK_INTERVAL = 1_000;

/**
 * Milliseconds that the last packets, once the SDK has taken them, may take to leave this machine. It does not tell when they have, and to
 * leave the room drops them: an abort, a goodbye, a receipt.
 */
const LAST_PACKETS = 250;

/** Part of {@linkcode Sdk} that is used. */
export type RoomSdk = Pick<Sdk, keyof Sdk>;

/** A room of a LiveKit server, as a transport. */
export class LiveKitTransport implements Transport {
  readonly identity: string;
  readonly largestChunk = LARGEST_CHUNK;
  readonly hasUnlisted = true;
  readonly #sdk: RoomSdk;
  readonly #clock: Required<Clock>;
  readonly #release: () => void;
  readonly #outbox = new SerialQueue();
  readonly #presence: Presence;
  readonly #unlisted: Unlisted;
  readonly #readers: ForeignReaders;
  readonly #seekers = new Set<() => void>();
  #events: TransportEvents | undefined;
  /** Why nothing more can be sent: it was closed, or the room has ended. */
  #ended: StreamError | undefined;
  /** The room has ended. */
  #gone: StreamError | undefined;
  #closing: Promise<void> | undefined;
  #mayPublish: boolean;
  #lastSentAt = -Infinity;

  constructor(sdk: RoomSdk, release: () => void, clock: Required<Clock> = systemClock) {
    this.identity = sdk.identity;
    this.#sdk = sdk;
    this.#clock = clock;
    this.#release = release;
    this.#mayPublish = sdk.mayPublish;
    this.#unlisted = new Unlisted({
      ask: (identity) => this.#isHere(identity),
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
        this.#wakeSeekers();
        this.#events?.joined(identity);
      },
      left: (identity) => {
        this.#readers.drop(identity);
        this.#events?.left(identity);
      },
    });
    this.#readers = new ForeignReaders((packet, from) => this.#tell(packet, from));
    sdk.listen({
      joined: (identity, sid) => this.#presence.join(identity, sid),
      left: (identity) => this.#presence.leave(identity),
      lost: () => this.#presence.lost(),
      reconnected: () => sdk.setBufferedAmount(BUFFERED_BYTES), // a connection made anew has the SDK's
      renewed: () => this.#presence.renewed(),
      header: (header, from) => this.#header(header, from),
      chunk: (streamId, index, content, from) => this.#chunk(streamId, index, content, from),
      trailer: (trailer, from) => {
        if (!this.#readers.packet(trailer, from)) this.#tell(trailer, from);
      },
      opened: (header, from, reader, handled) => {
        if (isOwn(header)) return "nowhere"; // it comes by its packets: a handler on the Room would get it a second time
        if (from === "") return "room"; // a hidden participant's, whom the server does not name
        this.#presence.meet(from, () => true);
        if (handled || this.#events === undefined) return "room";
        this.#readers.open(header, from, reader);
        return "here";
      },
      registered: (kind, topic) => this.#events?.registered?.(kind, topic),
      permitted: (mayPublish) => {
        this.#mayPublish = mayPublish;
      },
      // It cannot tell how its streams stand, nor that it is a Millrace runtime: from now on it is sent to as to another SDK.
      othersPermitted: (identity, mayPublish) => {
        if (!mayPublish) this.#presence.restart(identity);
      },
      disconnected: (reason) => this.#disconnect(reason),
    });
    sdk.setBufferedAmount(BUFFERED_BYTES);
  }

  participants(): readonly string[] {
    return this.#presence.identities;
  }

  async find(identities: readonly string[]): Promise<void> {
    const deadline = this.#clock.now() + NEWS_DELAY;
    const missing = (): string[] => identities.filter((identity) => identity !== this.identity && !this.#presence.has(identity));
    let askedAt = -Infinity;
    for (let left = NEWS_DELAY; left > 0 && this.#ended === undefined && missing().length > 0;) {
      if (this.#clock.now() - askedAt >= ASK_INTERVAL) {
        askedAt = this.#clock.now();
        for (const identity of missing()) void this.#ask(identity);
      }
      await this.#change(Math.min(left, ASK_INTERVAL));
      left = deadline - this.#clock.now();
    }
  }

  async #ask(identity: string): Promise<void> {
    if (await this.#isHere(identity) && this.#ended === undefined) this.#presence.answered(identity);
  }

  async #isHere(identity: string): Promise<boolean> {
    return await this.#sdk.isHere(identity, NEWS_DELAY);
  }

  handler(kind: "text" | "bytes", topic: string): TransportHandler | undefined {
    const handler = this.#sdk.handler(kind, topic);
    return handler && adaptHandler(kind, handler);
  }

  open(events: TransportEvents): void {
    this.#events = events;
    void this.#sdk.letOut(BUFFERED_BYTES); // the first packet has the SDK make its connection, which takes longer than a hello may
    if (this.#ended !== undefined) events.closed(this.#ended);
  }

  async send(packet: Packet, destinations?: readonly string[]): Promise<void> {
    const problem = this.#ended ?? refusal(packet) ?? this.#forbidden();
    if (problem !== undefined) throw problem;
    const to = destinations === undefined ? [] : [...new Set(destinations)].filter((identity) => identity !== this.identity);
    // To the SDK an empty list means everybody: here it means nobody.
    if (destinations !== undefined && to.length === 0) return;
    for (const identity of to) this.#unlisted.note(identity);
    try {
      await this.#outbox.add(() => this.#attended(() => this.#request(packet, to)));
      this.#lastSentAt = this.#clock.now();
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
      await this.#outbox.empty();
      await this.#pause(this.#lastSentAt + LAST_PACKETS - this.#clock.now());
      if (this.#sdk.connected) this.#sdk.setBufferedAmount(SDK_BUFFERED_BYTES);
    }
    this.#end();
  }

  #end(): void {
    this.#wakeSeekers();
    this.#readers.clear();
    this.#unlisted.clear();
    if (this.#ended !== undefined) this.#sdk.stop(this.#ended);
    this.#release();
  }

  /** Resolves when somebody has come or the transport has ended, or after so many milliseconds. */
  async #change(milliseconds: number): Promise<void> {
    let timer: unknown;
    let wake: () => void = () => {};
    await new Promise<void>((resolve) => {
      wake = resolve;
      this.#seekers.add(wake);
      timer = this.#clock.setTimeout(resolve, milliseconds);
    });
    this.#clock.clearTimeout(timer);
    this.#seekers.delete(wake);
  }

  /** Lets time pass, but not past the room's end. */
  async #pause(milliseconds: number): Promise<void> {
    const until = this.#clock.now() + milliseconds;
    for (let left = milliseconds; left > 0 && this.#gone === undefined; left = until - this.#clock.now()) {
      await this.#change(left);
    }
  }

  #wakeSeekers(): void {
    for (const wake of this.#seekers) wake();
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
    const words = String(cause);
    if (CLOSED.test(words)) this.#disconnect(words); // the Room says it a little later
    else if (!LOST.test(words) && this.#ended === undefined) await this.#change(LATE_NEWS);
    if (this.#ended !== undefined) return this.#ended;
    if (!LOST.test(words)) {
      return new StreamError("transport", `Cannot send the ${type} as the room refused it: ${words}`, { cause });
    }
    return new StreamError("disconnected", `Cannot send the ${type} as the room's connection was lost: ${words}`, { cause });
  }

  async #attended(request: () => Promise<void>): Promise<void> {
    let timer: unknown;
    const letOutLater = (): void => {
      timer = this.#clock.setTimeout(() => {
        void this.#sdk.letOut(BUFFERED_BYTES);
        letOutLater();
      }, STUCK_AFTER);
    };
    letOutLater();
    try {
      await request();
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }

  #request(packet: Packet, to: readonly string[]): Promise<void> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone); // no answer would come
    switch (packet.type) {
      case "header":
        return this.#sdk.sendHeader(packet.header, to);
      case "chunk":
        return this.#sdk.sendChunk(packet.streamId, packet.index, packet.content, to);
      case "trailer":
        return this.#sdk.sendTrailer(packet, to);
      case "control":
        return this.#sdk.sendChunk(CONTROL_STREAM_ID, 0, packet.payload, to);
    }
  }

  #header(header: StreamHeader, from: string): void {
    if (!isOwn(header)) return; // another SDK's come by a reader
    this.#readers.forget(from, header.streamId);
    this.#tell({ type: "header", header }, from);
  }

  #chunk(streamId: string, index: number, content: Uint8Array, from: string): void {
    if (streamId === CONTROL_STREAM_ID) return this.#tell({ type: "control", payload: content }, from);
    const packet: Packet = { type: "chunk", streamId, index, content };
    if (!this.#readers.packet(packet, from) && content.byteLength <= MAX_CHUNK_SIZE) this.#tell(packet, from);
  }

  #tell(packet: Packet, from: string): void {
    if (from === "" || from === this.identity) return;
    this.#unlisted.note(from);
    if (this.#presence.meet(from, () => begins(packet))) this.#events?.packet(packet, from);
  }

  #disconnect(reason: string): void {
    if (this.#gone !== undefined) return;
    this.#gone = new StreamError("disconnected", `Cannot send as the room is disconnected: ${reason}`, { reason });
    this.#ended ??= this.#gone;
    this.#presence.clear();
    this.#end();
    this.#events?.closed(this.#gone);
  }
}

/** Whether a packet may be the first from a participant. */
function begins(packet: Packet): boolean {
  return packet.type === "header" || (packet.type === "control" && decodeControl(packet.payload)?.kind === "hello");
}

function isOwn(header: StreamHeader): boolean {
  return Object.hasOwn(header.attributes, OWN_ATTRIBUTE);
}
