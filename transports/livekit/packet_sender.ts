import { StreamError } from "../../errors.ts";
import type { Clock } from "../../common/clock.ts";
import { Deferred } from "../../common/promises.ts";
import { CONTROL_STREAM_ID } from "../../protocol/constants.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import type { SdkRoom } from "./sdk/room.ts";
import { SerialQueue } from "./serial_queue.ts";

/**
 * Bound of the data channel's buffer, in bytes; requests beyond it wait. All bounds from 16 kB to 1 MiB gave the same goodput, within
 * noise. A request that waits outside the buffer does not delay packets that are sent later.
 */
export const BUFFERED_BYTES = 64_000;

/**
 * Time without an answer after which the data channel may be dead, in ms. If the channel is only slow, the extra packet delays packets
 * that are sent later.
 */
const STUCK_AFTER_MS = 2_000;

/**
 * Time without an answer to the extra packet after which the SDK counts as hung, in ms. A packet that waits for a dead channel locks out the
 * reconnection, and once the SDK waits to reconnect, that locks out the extra packet.
 */
const HUNG_AFTER_MS = 5_000;

/** Sends packets to a room one at a time, in order. */
export class PacketSender {
  readonly #sdk: SdkRequests;
  readonly #clock: Required<Clock>;
  readonly #hung: () => void;
  readonly #queue = new SerialQueue();
  #error: Error | undefined;
  /** Ends the wait while the connection is lost. */
  #gate: Deferred | undefined;
  /** Number of new connections so far. */
  #life = 0;
  #lastSentAt = -Infinity;
  /** Time of the request that the SDK has not answered. */
  #requestedAt: number | undefined;
  /** Timer that watches the requests; it runs on over several, as each packet is one. */
  #watch: unknown;

  /** `hung` is called when the SDK no longer answers. */
  constructor(sdk: SdkRequests, clock: Required<Clock>, hung: () => void) {
    this.#sdk = sdk;
    this.#hung = hung;
    this.#clock = clock;
  }

  /** Time when the SDK took the last packet, by the clock, in ms. */
  get lastSentAt(): number {
    return this.#lastSentAt;
  }

  /** Resolves when the SDK has taken the packet. An empty list of destinations means everybody. */
  send(packet: Packet, destinations: readonly string[]): Promise<void> {
    const life = this.#life;
    return this.#queue.add(async () => {
      await this.#gate?.promise;
      if (life !== this.#life) {
        throw new StreamError("disconnected", `Cannot send the ${packet.type} as the room has a new connection`);
      }
      await this.#sendNow(packet, destinations);
    });
  }

  /** Keeps packets back, as the connection is lost: what is sent until it is known to be new belongs to the life before. */
  hold(): void {
    this.#gate ??= new Deferred();
  }

  /** Lets packets go on. */
  release(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  /** Rejects packets that wait in the queue, as the connection is a new one. */
  renew(): void {
    this.#life++;
  }

  /** Rejects packets that wait in the queue: the room has ended, and no request would be answered. */
  stop(error: Error): void {
    this.#error = error;
    if (this.#requestedAt === undefined) this.#endWatch();
    this.release();
  }

  /** Resolves when the SDK has taken or refused all packets. */
  empty(): Promise<void> {
    return this.#queue.empty();
  }

  async #sendNow(packet: Packet, destinations: readonly string[]): Promise<void> {
    this.#requestedAt = this.#clock.now();
    this.#watch ??= this.#watchFor(STUCK_AFTER_MS);
    try {
      await this.#request(packet, destinations);
      this.#lastSentAt = this.#clock.now();
    } finally {
      this.#requestedAt = undefined;
      if (this.#error !== undefined) this.#endWatch();
    }
  }

  #watchFor(milliseconds: number): unknown {
    return this.#clock.setTimeout(() => {
      this.#watch = undefined;
      if (this.#requestedAt === undefined) return; // the next request starts another
      const left = this.#requestedAt + STUCK_AFTER_MS - this.#clock.now();
      if (left <= 0) void this.#releaseRequests();
      this.#watch = this.#watchFor(left > 0 ? left : STUCK_AFTER_MS);
    }, milliseconds);
  }

  #endWatch(): void {
    this.#clock.clearTimeout(this.#watch);
    this.#watch = undefined;
  }

  async #releaseRequests(): Promise<void> {
    let timer: unknown;
    const look = (): void => {
      timer = this.#clock.setTimeout(() => this.#canBeHung() ? this.#hung() : look(), HUNG_AFTER_MS);
    };
    look();
    try {
      await this.#sdk.releaseRequests(BUFFERED_BYTES);
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }

  /** While the SDK connects, for the first packet or anew, it does not answer either. */
  #canBeHung(): boolean {
    return this.#lastSentAt > -Infinity && this.#gate === undefined;
  }

  #request(packet: Packet, destinations: readonly string[]): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    switch (packet.type) {
      case "header":
        return this.#sdk.sendHeader(packet.header, destinations);
      case "chunk":
        return this.#sdk.sendChunk(packet.streamId, packet.index, packet.content, destinations);
      case "trailer":
        return this.#sdk.sendTrailer(packet, destinations);
      case "control":
        return this.#sdk.sendChunk(CONTROL_STREAM_ID, 0, packet.payload, destinations);
    }
  }
}

type SdkRequests = Pick<SdkRoom, "sendHeader" | "sendChunk" | "sendTrailer" | "releaseRequests">;
