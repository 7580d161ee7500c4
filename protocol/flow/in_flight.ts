import type { CongestionController } from "./congestion.ts";
import type { SentPacket } from "./delivery_rate.ts";

/** Chunks of one stream in flight to one receiver. */
export class InFlight {
  readonly window: CongestionController;
  /** Chunks that have not been acknowledged, in order. */
  #packets: SentPacket[] = [];
  /** Number of chunks that have been acknowledged, and their bytes. */
  #acknowledged = 0;
  acknowledgedBytes = 0;
  #abandoned = false;

  constructor(window: CongestionController) {
    this.window = window;
  }

  /** Notes that the stream's next chunk is sent. */
  noteSent(bytes: number, now: number): void {
    if (!this.#abandoned) this.#packets.push(this.window.send(bytes, now));
  }

  /** Takes the receiver's count of chunks. A count above those sent is a forgery, and ignored. */
  acknowledge(chunks: number, now: number): void {
    const newChunks = chunks - this.#acknowledged;
    if (newChunks <= 0 || newChunks > this.#packets.length) return;
    this.#acknowledged = chunks;
    const packets = this.#packets.splice(0, newChunks);
    for (const { bytes } of packets) this.acknowledgedBytes += bytes;
    this.window.acknowledge(packets, now);
  }

  /** Forgets the chunks in flight, as the stream has ended for the receiver. */
  abandon(): void {
    if (this.#abandoned) return;
    this.#abandoned = true;
    this.window.forget(this.#packets.splice(0));
  }
}
