import type { Clock } from "../../common/clock.ts";
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

/** Sends packets to a room one at a time, in order. */
export class PacketSender {
  readonly #sdk: SdkRequests;
  readonly #clock: Required<Clock>;
  readonly #queue = new SerialQueue();
  #error: Error | undefined;
  #lastSentAt = -Infinity;

  constructor(sdk: SdkRequests, clock: Required<Clock>) {
    this.#sdk = sdk;
    this.#clock = clock;
  }

  /** Time when the SDK took the last packet, by the clock, in ms. */
  get lastSentAt(): number {
    return this.#lastSentAt;
  }

  /** Resolves when the SDK has taken the packet. An empty list of destinations means everybody. */
  send(packet: Packet, destinations: readonly string[]): Promise<void> {
    return this.#queue.add(() => this.#sendNow(packet, destinations));
  }

  /** Rejects packets that wait in the queue: the room has ended, and no request would be answered. */
  stop(error: Error): void {
    this.#error = error;
  }

  /** Resolves when the SDK has taken or refused all packets. */
  empty(): Promise<void> {
    return this.#queue.empty();
  }

  async #sendNow(packet: Packet, destinations: readonly string[]): Promise<void> {
    let timer: unknown;
    const releaseLater = (): void => {
      timer = this.#clock.setTimeout(() => {
        void this.#sdk.releaseRequests(BUFFERED_BYTES);
        releaseLater();
      }, STUCK_AFTER_MS);
    };
    releaseLater();
    try {
      await this.#request(packet, destinations);
      this.#lastSentAt = this.#clock.now();
    } finally {
      this.#clock.clearTimeout(timer);
    }
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
