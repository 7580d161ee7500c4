import type { CongestionController, SentPacket } from "./congestion.ts";

/** Chunks of one stream in flight to one receiver. */
export class InFlight {
  readonly window: CongestionController;
  /** Chunks that have not been acknowledged, in order. */
  #packets: SentPacket[] = [];
  /** Chunks that have. */
  #acknowledged = 0;
  #abandoned = false;
  /** Bytes of them. */
  acknowledgedBytes = 0;

  constructor(window: CongestionController) {
    this.window = window;
  }

  /** The stream's next chunk is sent. */
  noteSent(bytes: number, now: number): void {
    if (!this.#abandoned) this.#packets.push(this.window.send(bytes, now));
  }

  /** The receiver has so many of its chunks; more than were sent is a forgery. */
  acknowledge(chunks: number, now: number): void {
    const come = chunks - this.#acknowledged;
    if (come <= 0 || come > this.#packets.length) return;
    this.#acknowledged = chunks;
    const landed = this.#packets.splice(0, come);
    for (const { bytes } of landed) this.acknowledgedBytes += bytes;
    this.window.acknowledge(landed, now);
  }

  /** The receiver takes no more of it: what is under way will not be acknowledged. */
  abandon(): void {
    if (this.#abandoned) return;
    this.#abandoned = true;
    this.window.forget(this.#packets.splice(0));
  }
}
