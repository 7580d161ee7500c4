import { STREAM_CHUNK_SIZE } from "../../protocol/constants.ts";
import type { Clock } from "../../protocol/clock.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import type { Transport } from "../../transports/transport.ts";

/** Bytes of what is urgent that go before a chunk that waits gets its turn: bulk is left at least a tenth. */
const EXPRESS_SHARE: number = 9 * STREAM_CHUNK_SIZE;

/** Milliseconds after which those who are kept waiting are looked at again, should no acknowledgement wake them. */
const LOOK_AGAIN = 250;

/** A chunk of a bulk stream, which waits for its turn. */
export interface Freight {
  /** Whether its receivers can take it. */
  ready(): boolean;
  /** Hands it to the transport; undefined if it is wanted no more. */
  start(): Promise<void> | undefined;
}

interface Waiting {
  readonly freight: Freight;
  readonly resolve: (sent: Promise<void> | undefined) => void;
}

interface Express {
  readonly bytes: number;
  readonly start: () => Promise<void>;
  readonly resolve: (sent: Promise<void>) => void;
}

/**
 * Decides what the transport is given next, one packet at a time, so that little waits where nothing can overtake it: what is urgent
 * (control, headers and trailers, short streams, text as it is made) before bulk, the bulk streams in turn, chunk by chunk.
 */
export class Courier {
  readonly #transport: Transport;
  readonly #clock: Required<Clock>;
  readonly #express: Express[] = [];
  readonly #freight: Waiting[] = [];
  #busy = false;
  #expressBytes = 0;
  #timer: unknown;

  constructor(transport: Transport, clock: Required<Clock>) {
    this.#transport = transport;
    this.#clock = clock;
  }

  /** Whether packets wait in queues on their way, so that what is sent needs an order and a bound. */
  get paces(): boolean {
    return this.#transport.direct !== true;
  }

  /** Sends a packet that is urgent, or in its stream's turn. Settles as `Transport.send` does. */
  send(packet: Packet, destinations: readonly string[] | undefined): Promise<void> {
    if (!this.paces) return this.#transport.send(packet, destinations);
    const bytes = packet.type === "chunk" ? packet.content.length : 0;
    return new Promise((resolve) => {
      this.#express.push({ bytes, resolve, start: () => this.#transport.send(packet, destinations) });
      this.#next();
    });
  }

  /** Hands the transport a chunk whose turn it is: what {@linkcode Freight.start} does. */
  hand(packet: Packet, destinations: readonly string[] | undefined): Promise<void> {
    return this.#transport.send(packet, destinations);
  }

  /** Sends a chunk when it is its turn and its receivers can take it. */
  carry(freight: Freight): Promise<void> {
    return new Promise((resolve) => {
      this.#freight.push({ freight, resolve });
      this.#next();
    });
  }

  /** A receiver may be able to take more, or a chunk is wanted no more. */
  wake(): void {
    this.#next();
  }

  /** Resolves when all that was urgent so far has been handed on. */
  async flushed(): Promise<void> {
    if (!this.paces) return;
    await new Promise<void>((resolve) => {
      this.#express.push({ bytes: 0, resolve: () => resolve(), start: () => Promise.resolve() });
      this.#next();
    });
  }

  #next(): void {
    if (this.#busy) return;
    const starved = this.#expressBytes >= EXPRESS_SHARE;
    const place = this.#express.length === 0 || starved ? this.#freight.findIndex(({ freight }) => freight.ready()) : -1;
    const [waiting] = place === -1 ? [] : this.#freight.splice(place, 1);
    const express = waiting === undefined ? this.#express.shift() : undefined;
    if (waiting !== undefined) {
      this.#expressBytes = 0;
      this.#hand(waiting.freight.start(), waiting.resolve);
    } else if (express !== undefined) {
      this.#expressBytes = this.#freight.length === 0 ? 0 : this.#expressBytes + express.bytes;
      this.#hand(express.start(), express.resolve);
    } else this.#lookAgain();
  }

  #hand<Sent extends Promise<void> | undefined>(sent: Sent, resolve: (sent: Sent) => void): void {
    resolve(sent);
    if (sent === undefined) return this.#next();
    this.#busy = true;
    const free = (): void => {
      this.#busy = false;
      this.#next();
    };
    sent.then(free, free);
  }

  #lookAgain(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#freight.length === 0 ? undefined : this.#clock.setTimeout(() => this.#next(), LOOK_AGAIN);
  }
}
