import type { StreamError } from "../../errors.ts";
import { STREAM_CHUNK_SIZE } from "../../protocol/constants.ts";
import type { Clock } from "../../common/clock.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import type { SharedFrame } from "../../protocol/wire/shared_frame.ts";
import type { SharingTransport, Transport } from "../../transports/transport.ts";

/** Urgent bytes sent before one waiting bulk chunk: bulk keeps at least 10 %. */
const MAX_URGENT_BYTES_PER_CHUNK: number = 9 * STREAM_CHUNK_SIZE;

/** Interval of polls for chunks that became ready without an acknowledgement, in ms. */
const POLL_INTERVAL_MS = 250;

/** Chunk of a bulk stream. */
export interface BulkChunk {
  /** Whether its receivers' congestion windows have room. */
  ready(): boolean;
  /** Sends the chunk; undefined if its stream has ended. */
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
 * Packet scheduler of two classes. The transport gets one packet at a time, so that its queue stays short. Urgent packets (control, headers,
 * trailers, short streams, incremental text) go before bulk chunks; bulk streams take turns.
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

  /** Whether the transport queues packets, so that their order and number matter. */
  get isPaced(): boolean {
    return this.#transport.direct !== true;
  }

  /** Sends an urgent packet. Settles as `Transport.send` does. */
  sendUrgent(packet: Packet, destinations: readonly string[] | undefined): Promise<void> {
    if (!this.isPaced) return this.#transport.send(packet, destinations);
    const bytes = packet.type === "chunk" ? packet.content.length : 0;
    return new Promise((resolve) => {
      this.#urgent.push({ bytes, resolve, start: () => this.#transport.send(packet, destinations) });
      this.#next();
    });
  }

  /** Hands a frame over in memory that sender and receivers share; undefined if it must go in chunks. */
  share(frame: SharedFrame, destinations: readonly string[]): Promise<void> | undefined {
    const transport: Transport & Partial<SharingTransport> = this.#transport;
    return transport.share?.(frame, destinations);
  }

  /** Sends a chunk whose turn has come, from {@linkcode BulkChunk.start}. */
  sendNow(packet: Packet, destinations: readonly string[] | undefined): Promise<void> {
    return this.#transport.send(packet, destinations);
  }

  /** Schedules a bulk chunk. Resolves when the chunk is sent, or its stream has ended. */
  scheduleBulk(chunk: BulkChunk): Promise<void> {
    return new Promise((resolve) => {
      this.#bulk.push({ chunk, resolve });
      this.#next();
    });
  }

  /** Rejects waiting urgent packets with `error`, as they belong to a life that has ended. */
  dropUrgent(error: StreamError): void {
    for (const { resolve } of this.#urgent.splice(0)) {
      const dropped = Promise.reject(error);
      dropped.catch(() => {}); // nobody may wait for it
      resolve(dropped);
    }
  }

  /** Looks for ready chunks again: a window has opened, or a stream has ended. */
  wake(): void {
    this.#next();
  }

  /** Resolves when all urgent packets so far were sent. */
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
