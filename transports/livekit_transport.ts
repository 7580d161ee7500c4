import { StreamError } from "../errors.ts";
import { MAX_CHUNK_SIZE } from "../protocol/constants.ts";
import { OWN_ATTRIBUTE } from "../protocol/header.ts";
import type { Packet, StreamHeader } from "../protocol/packets.ts";
import { ForeignReaders } from "./livekit_readers.ts";
import type { Sdk } from "./livekit_sdk.ts";
import { Outbox } from "./outbox.ts";
import { refusal } from "./packet_size.ts";
import type { Transport, TransportEvents } from "./transport.ts";

/**
 * The stream whose chunks are control packets. It has no header, so that other SDKs drop them unseen: a data packet or an RPC would reach
 * the handlers of a program that knows nothing of them.
 */
export const CONTROL_STREAM_ID = "millrace.control";

/**
 * Bytes that the data channel may hold before a request waits for it, of 2 MiB by default. All from 16 kB to 1 MiB gave the same
 * goodput, within noise; none gave less. What waits here is not in the way of what is sent next.
 */
const BUFFERED_BYTES = 64_000;

/** The SDK's own bound, put back when the room is given back. */
const SDK_BUFFERED_BYTES = 2 * 1024 * 1024;

/**
 * Milliseconds after which news of a participant has come. A server tells of those who publish no tracks once in 3 s; whoever sends
 * something is known from that.
 */
const NEWS_DELAY = 3_500;

/** A room of a LiveKit server, as a transport. */
export class LiveKitTransport implements Transport {
  readonly identity: string;
  readonly #sdk: Sdk;
  readonly #release: () => void;
  readonly #outbox = new Outbox();
  /** Who is here, with the sid once that is known: who sends something is, before the server tells of it. */
  readonly #present: Map<string, string | undefined>;
  readonly #readers: ForeignReaders;
  readonly #seekers = new Set<() => void>();
  #events: TransportEvents | undefined;
  #ended: StreamError | undefined;
  #closing: Promise<void> | undefined;
  #mayPublish: boolean;

  constructor(sdk: Sdk, release: () => void) {
    this.identity = sdk.identity;
    this.#sdk = sdk;
    this.#release = release;
    this.#mayPublish = sdk.mayPublish;
    this.#present = new Map(sdk.participants);
    this.#readers = new ForeignReaders((packet, from) => this.#tell(packet, from));
    sdk.listen({
      joined: (identity, sid) => this.#join(identity, sid),
      left: (identity) => this.#leave(identity),
      renewed: () => this.#renew(),
      header: (header, from) => this.#header(header, from),
      chunk: (streamId, index, content, from) => this.#chunk(streamId, index, content, from),
      trailer: (trailer, from) => {
        if (!this.#readers.takesTrailer(from, trailer.streamId)) this.#tell(trailer, from);
      },
      opened: (header, from, reader) => {
        if (isOwn(header) || this.#events === undefined) return false;
        this.#meet(from);
        this.#readers.open(header, from, reader);
        return true;
      },
      permitted: (mayPublish) => {
        this.#mayPublish = mayPublish;
      },
      disconnected: (reason) => this.#disconnect(reason),
    });
    sdk.setBufferedAmount(BUFFERED_BYTES);
  }

  participants(): readonly string[] {
    return [...this.#present.keys()];
  }

  async find(identities: readonly string[]): Promise<void> {
    const deadline = Date.now() + NEWS_DELAY;
    const found = (): boolean => identities.every((identity) => this.#present.has(identity) || identity === this.identity);
    for (let left = NEWS_DELAY; left > 0 && this.#ended === undefined && !found(); left = deadline - Date.now()) {
      await this.#change(left);
    }
  }

  open(events: TransportEvents): void {
    this.#events = events;
    if (this.#ended !== undefined) events.closed(this.#ended);
  }

  async send(packet: Packet, destinations?: readonly string[]): Promise<void> {
    const problem = this.#ended ?? refusal(packet) ?? this.#forbidden();
    if (problem !== undefined) throw problem;
    const to = destinations === undefined ? [] : [...new Set(destinations)].filter((identity) => identity !== this.identity);
    // To the SDK an empty list means everybody: here it means nobody.
    if (destinations !== undefined && to.length === 0) return;
    try {
      await this.#outbox.add(() => this.#request(packet, to));
    } catch (cause) {
      if (cause instanceof StreamError) throw cause;
      throw this.#ended ??
        new StreamError("transport", `Cannot send the ${packet.type} as the room refused it: ${String(cause)}`, { cause });
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
      if (this.#sdk.connected) this.#sdk.setBufferedAmount(SDK_BUFFERED_BYTES);
    }
    this.#end();
  }

  #end(): void {
    this.#wakeSeekers();
    this.#readers.clear();
    if (this.#ended !== undefined) this.#sdk.stop(this.#ended);
    this.#release();
  }

  /** Resolves when somebody has come or the transport has ended, or after so many milliseconds. */
  async #change(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wake: () => void = () => {};
    await new Promise<void>((resolve) => {
      wake = resolve;
      this.#seekers.add(wake);
      timer = setTimeout(resolve, milliseconds);
    });
    clearTimeout(timer);
    this.#seekers.delete(wake);
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

  #request(packet: Packet, to: readonly string[]): Promise<void> {
    if (this.#closing === undefined && this.#ended !== undefined) return Promise.reject(this.#ended);
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
    if (this.#readers.has(from, streamId)) return;
    if (streamId === CONTROL_STREAM_ID) this.#tell({ type: "control", payload: content }, from);
    else if (content.byteLength <= MAX_CHUNK_SIZE) this.#tell({ type: "chunk", streamId, index, content }, from);
  }

  #tell(packet: Packet, from: string): void {
    this.#meet(from);
    if (from !== "") this.#events?.packet(packet, from);
  }

  /** Whoever sends is here, even if the Room has yet to hear of it. */
  #meet(identity: string): void {
    if (identity !== "" && !this.#present.has(identity)) this.#join(identity, undefined);
  }

  #join(identity: string, sid: string | undefined): void {
    const known = this.#present.has(identity);
    const before = this.#present.get(identity);
    if (known && (before === undefined || before === sid)) {
      this.#present.set(identity, sid); // late news of one who is here
      return;
    }
    if (known) this.#leave(identity); // a new one under the same name
    this.#present.set(identity, sid);
    this.#wakeSeekers();
    this.#events?.joined(identity);
  }

  #leave(identity: string): void {
    this.#readers.drop(identity);
    if (this.#present.delete(identity)) this.#events?.left(identity);
  }

  /** To the others this participant has left and come back: what was under way has ended there, and ends here. */
  #renew(): void {
    for (const [identity, sid] of [...this.#present]) {
      this.#leave(identity);
      this.#join(identity, sid);
    }
  }

  #disconnect(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = new StreamError("disconnected", `Cannot send as the room is disconnected: ${reason}`, { reason });
    this.#present.clear();
    this.#end();
    this.#events?.closed(this.#ended);
  }
}

function isOwn(header: StreamHeader): boolean {
  return Object.hasOwn(header.attributes, OWN_ATTRIBUTE);
}
