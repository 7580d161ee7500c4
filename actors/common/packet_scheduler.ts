import { STREAM_CHUNK_SIZE } from "../../protocol/constants.ts";
import type { Clock } from "../../common/clock.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import type { Transport } from "../../transports/transport.ts";

/** Bytes of what is urgent that go before a chunk that waits gets its turn: bulk is left at least a tenth. */
const MAX_URGENT_BYTES_PER_CHUNK: number = 9 * STREAM_CHUNK_SIZE;

/** Milliseconds after which those who are kept waiting are looked at again, should no acknowledgement wake them. */
const POLL_INTERVAL_MS = 250;

/** A chunk of a bulk stream, which waits for its turn. */
export interface BulkChunk {
  /** Whether its receivers can take it. */
  ready(): boolean;
  /** Hands it to the transport; undefined if it is wanted no more. */
  start(): Promise<void> | undefined;
}

interface WaitingChunk {
  readonly chunk: BulkChunk;
  readonly resolve: (sent: Promise<void> | undefined) => void;
}

interface UrgentPacket {
  readonly bytes: number;
  readonly start: () => Promise<void>;
  readonly resolve: (sent: Promise<void>) => void;
}

/**
 * Decides what the transport is given next, one packet at a time, so that little waits where nothing can overtake it: what is urgent
 * (control, headers and trailers, short streams, text as it is made) before bulk, the bulk streams in turn, chunk by chunk.
 */
export class PacketScheduler {
  readonly #transport: Transport;
  readonly #clock: Required<Clock>;
  readonly #urgent: UrgentPacket[] = [];
  readonly #bulk: WaitingChunk[] = [];
  #busy = false;
  #urgentBytes = 0;
  #timer: unknown;

  constructor(transport: Transport, clock: Required<Clock>) {
    this.#transport = transport;
    this.#clock = clock;
  }

  /** Whether packets wait in queues on their way, so that what is sent needs an order and a bound. */
  get isPaced(): boolean {
    return this.#transport.direct !== true;
  }

  /** Sends a packet that is urgent, or in its stream's turn. Settles as `Transport.send` does. */
  sendUrgent(packet: Packet, destinations: readonly string[] | undefined): Promise<void> {
    if (!this.isPaced) return this.#transport.send(packet, destinations);
    const bytes = packet.type === "chunk" ? packet.content.length : 0;
    return new Promise((resolve) => {
      this.#urgent.push({ bytes, resolve, start: () => this.#transport.send(packet, destinations) });
      this.#next();
    });
  }

  /** Hands the transport a chunk whose turn it is: what {@linkcode BulkChunk.start} does. */
  sendNow(packet: Packet, destinations: readonly string[] | undefined): Promise<void> {
    return this.#transport.send(packet, destinations);
  }

  /** Sends a chunk when it is its turn and its receivers can take it. */
  scheduleBulk(chunk: BulkChunk): Promise<void> {
    return new Promise((resolve) => {
      this.#bulk.push({ chunk, resolve });
      this.#next();
    });
  }

  /** A receiver may be able to take more, or a chunk is wanted no more. */
  wake(): void {
    this.#next();
  }

  /** Resolves when all that was urgent so far has been handed on. */
  async flushed(): Promise<void> {
    if (!this.isPaced) return;
    await new Promise<void>((resolve) => {
      this.#urgent.push({ bytes: 0, resolve: () => resolve(), start: () => Promise.resolve() });
      this.#next();
    });
  }

  #next(): void {
    if (this.#busy) return;
    const starved = this.#urgentBytes >= MAX_URGENT_BYTES_PER_CHUNK;
    const place = this.#urgent.length === 0 || starved ? this.#bulk.findIndex(({ chunk }) => chunk.ready()) : -1;
    const [waiting] = place === -1 ? [] : this.#bulk.splice(place, 1);
    const express = waiting === undefined ? this.#urgent.shift() : undefined;
    if (waiting !== undefined) {
      this.#urgentBytes = 0;
      this.#start(waiting.chunk.start(), waiting.resolve);
    } else if (express !== undefined) {
      this.#urgentBytes = this.#bulk.length === 0 ? 0 : this.#urgentBytes + express.bytes;
      this.#start(express.start(), express.resolve);
    } else this.#pollLater();
  }

  #start<Sent extends Promise<void> | undefined>(sent: Sent, resolve: (sent: Sent) => void): void {
    resolve(sent);
    if (sent === undefined) return this.#next();
    this.#busy = true;
    const free = (): void => {
      this.#busy = false;
      this.#next();
    };
    sent.then(free, free);
  }

  #pollLater(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#bulk.length === 0 ? undefined : this.#clock.setTimeout(() => this.#next(), POLL_INTERVAL_MS);
  }
}
