/** Record of a sent packet, kept until it is acknowledged. */
export interface SentPacket {
  readonly bytes: number;
  readonly at: number;
  /** Bytes acknowledged before it was sent, and the time of the last acknowledgement. */
  readonly delivered: number;
  readonly deliveredAt: number;
  /** Time at which the packet acknowledged last had been sent. */
  readonly ackedSentAt: number;
  /** Bytes in flight, this packet's included. */
  readonly inFlight: number;
  /** Whether the window had room for more: then its rate is the application's, not the line's. */
  readonly limited: boolean;
  /** Number of losses before it was sent. */
  readonly lossEpoch: number;
}

/** Rounds whose largest delivery rate is the rate. */
const RATE_ROUNDS = 10;

/** Delivery rate of a line in bytes per ms: the largest of the last rounds. */
export class DeliveryRate {
  /** Rates that may yet be the largest, in falling order. */
  readonly #rates: { round: number; rate: number }[] = [];

  /** The rate; 0 before any measurement. */
  get value(): number {
    return this.#rates[0]?.rate ?? 0;
  }

  /**
   * Measures by an acknowledged packet: bytes delivered since the packet was sent, over the longer of the times to send and to acknowledge
   * them.
   */
  note({ delivered, deliveredAt, at, ackedSentAt, limited }: SentPacket, deliveredNow: number, round: number, now: number): void {
    const elapsed = Math.max(now - deliveredAt, at - ackedSentAt);
    if (elapsed <= 0) return;
    const rate = (deliveredNow - delivered) / elapsed;
    if (limited && rate < this.value) return;
    while (this.#rates.length > 0 && (this.#rates.at(-1)?.rate ?? 0) <= rate) this.#rates.pop();
    this.#rates.push({ round, rate });
    while ((this.#rates[0]?.round ?? round) < round - RATE_ROUNDS) this.#rates.shift();
  }

  /** Drops rates of rounds before the last one, as the line has become slower. */
  forgetBefore(round: number): void {
    const recent = this.#rates.filter((entry) => entry.round >= round - 1);
    if (recent.length > 0) this.#rates.splice(0, this.#rates.length, ...recent);
  }

  clear(): void {
    this.#rates.length = 0;
  }
}
