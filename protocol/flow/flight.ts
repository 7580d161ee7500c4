import type { CongestionWindow, Shipment } from "./congestion.ts";

/** What of one stream is on its way to one receiver. */
export class Flight {
  readonly window: CongestionWindow;
  /** Of the chunks that have not been acknowledged, in order. */
  #shipments: Shipment[] = [];
  /** Chunks that have. */
  #acknowledged = 0;
  #landed = false;
  /** Bytes of them. */
  acknowledgedBytes = 0;

  constructor(window: CongestionWindow) {
    this.window = window;
  }

  /** The stream's next chunk is sent. */
  send(bytes: number, now: number): void {
    if (!this.#landed) this.#shipments.push(this.window.send(bytes, now));
  }

  /** The receiver has so many of its chunks; more than were sent is a forgery. */
  acknowledge(chunks: number, now: number): void {
    const come = chunks - this.#acknowledged;
    if (come <= 0 || come > this.#shipments.length) return;
    this.#acknowledged = chunks;
    const landed = this.#shipments.splice(0, come);
    for (const { bytes } of landed) this.acknowledgedBytes += bytes;
    this.window.acknowledge(landed, now);
  }

  /** The receiver takes no more of it: what is under way will not be acknowledged. */
  land(): void {
    if (this.#landed) return;
    this.#landed = true;
    this.window.forget(this.#shipments.splice(0));
  }
}
