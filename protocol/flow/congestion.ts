// Congestion control of one receiver, as BBR does it: the window, in bytes in flight, follows delivery rate × least round trip. So the
// queues in SDK, server and network stay short, and urgent packets do not wait behind a bulk transfer. Pure: times are parameters, in ms.
import { STREAM_CHUNK_SIZE } from "../constants.ts";
import { DeliveryRate, type SentPacket } from "./delivery_rate.ts";

/** Longest delay of an acknowledgement at the receiver, in ms. Added to the least round trip, which it prolongs. */
export const ACK_DELAY = 10;

/** Unacknowledged bytes at which a receiver acknowledges at once. */
export const ACK_BYTES: number = 4 * STREAM_CHUNK_SIZE;

/** Least window, in bytes: fewer chunks in flight give nothing to measure. */
const MIN_WINDOW: number = 2 * STREAM_CHUNK_SIZE;

/** First window, in bytes. */
const INITIAL_WINDOW: number = 4 * STREAM_CHUNK_SIZE;

/**
 * Extra round-trip time that bytes in flight cannot explain is scheduling jitter, past the delay with which a machine comes to a packet.
 * It is averaged with weight JITTER_SHARE, each sample capped at MAX_JITTER_MS.
 */
const SCHEDULING_DELAY_MS = 25;
const JITTER_SHARE = 1 / 16;
const MAX_JITTER_MS = 100;

/** Largest window, in bytes: a wrongly measured rate must not grow an endless queue. */
const MAX_WINDOW: number = 64 * 1024 * 1024;

/**
 * Window as a multiple of the bytes delivered in a round trip. PROBING_GAIN finds a faster line, while the queue is empty or the rate
 * grows. DRAINING_GAIN, in one round of eight, empties our own queue, so that its delay is not mistaken for the line's.
 */
const PROBING_GAIN = 1.25;
const STEADY_GAIN = 1;
const DRAINING_GAIN = 0.75;
const DRAINING_ROUND = 8;

/** The queue counts as empty if some round trip of the last round was at most min RTT × 1.1 + 10 ms. */
const EMPTY_QUEUE_RTT_SHARE = 0.1;
const EMPTY_QUEUE_RTT_MS = 10;

/** Probing goes on while the rate grows by this share within UNPRODUCTIVE_ROUNDS rounds. */
const MIN_PROBE_GAIN = 0.05;
const UNPRODUCTIVE_ROUNDS = 3;

/** Bytes added to every window, so that a new stream can grow beside old ones. */
const WINDOW_HEADROOM: number = STREAM_CHUNK_SIZE;

/** Lifetime of the least round trip, in ms. Then PROBE_RTT_WINDOW empties the queue for a round, to measure a new one. */
const LEAST_ROUND_TRIP_MS = 10_000;

/** Window while the least round trip is measured, in bytes. */
const PROBE_RTT_WINDOW: number = STREAM_CHUNK_SIZE;

/** Window of start-up as a multiple of the bytes delivered in a round trip, so that each doubling shows before the next one. */
const STARTUP_GAIN = 4;

/** Acknowledgements after more than min RTT × 1.125 + 10 ms do not grow the window of start-up. */
const LATE_RTT_SHARE = 0.125;
const LATE_RTT_MS = 10;

/** Start-up ends after STARTUP_EXIT_TRIPS consecutive round trips above min RTT × 1.25 + 20 ms. */
const STARTUP_EXIT_RTT_GROWTH = 0.25;
const STARTUP_EXIT_RTT_MS = 20;
const STARTUP_EXIT_TRIPS = 3;

/** Start-up also ends when the delivery rate has not grown by this share in FLAT_ROUNDS rounds. */
const STARTUP_MIN_GROWTH = 0.25;
const FLAT_ROUNDS = 3;

/** The line has become slower if every round trip of COLLAPSED_ROUNDS rounds exceeds this multiple of the least: old rates are dropped. */
const COLLAPSED_RTT_FACTOR = 2.5;
const COLLAPSED_ROUNDS = 2;

/** Idle time after which measurements are dropped, in ms. */
const IDLE_MS = 5_000;

/** Time without an acknowledgement after which bytes in flight count as lost: in round trips, and in ms at least. */
const LOST_ROUND_TRIPS = 4;
const LOST_MS = 2_000;

/** Congestion controller of one receiver, shared by all streams to it. */
export class CongestionController {
  #inFlight = 0;
  #window = INITIAL_WINDOW;
  #state: "startup" | "steady" | "probe" = "startup";
  /** Packets sent after this many delivered bytes show the least round trip. */
  #probeFrom = 0;
  #delivered = 0;
  #deliveredAt = 0;
  #ackedSentAt = 0;
  #lastSentAt = -Infinity;
  #lossEpoch = 0;
  readonly #rate = new DeliveryRate();
  #leastRoundTrip = Infinity;
  #leastAt = 0;
  #jitter = 0;
  #round = 0;
  /** Delivered bytes at which the round ends. */
  #roundEnd = 0;
  #roundLeast = Infinity;
  #swollenTrips = 0;
  #flatRounds = 0;
  #flatRate = 0;
  #overfullRounds = 0;
  /** Rate that probing has reached, and the rounds since probing last raised it. */
  #plateauRate = 0;
  #unproductiveRounds = 0;
  /** Whether the queue was empty in the last round. */
  #queueEmpty = true;

  /** Bytes that may be in flight. */
  get window(): number {
    return this.#window;
  }

  /** Bytes in flight. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether another packet may be sent. */
  get canSend(): boolean {
    return this.#inFlight < this.#window;
  }

  /** Delivery rate in bytes per millisecond, the largest of the last rounds; 0 before any measurement. */
  get rate(): number {
    return this.#rate.value;
  }

  /** Least round trip in ms; Infinity before any measurement. */
  get leastRoundTrip(): number {
    return this.#leastRoundTrip;
  }

  /** Notes a packet that is sent now. Pass its record to `acknowledge` or `forget` later. */
  send(bytes: number, now: number): SentPacket {
    if (this.#inFlight === 0) {
      if (now - this.#lastSentAt > IDLE_MS) this.#startAnew(Math.min(this.#window, INITIAL_WINDOW));
      this.#deliveredAt = now;
      this.#ackedSentAt = now;
    }
    this.#inFlight += bytes;
    this.#lastSentAt = now;
    return {
      bytes,
      at: now,
      delivered: this.#delivered,
      deliveredAt: this.#deliveredAt,
      ackedSentAt: this.#ackedSentAt,
      inFlight: this.#inFlight,
      limited: this.canSend,
      lossEpoch: this.#lossEpoch,
    };
  }

  /** Takes the acknowledgement of packets, the newest last. */
  acknowledge(packets: readonly SentPacket[], now: number): void {
    const newest = packets.at(-1);
    if (newest === undefined) return;
    for (const { bytes, lossEpoch } of packets) {
      if (lossEpoch === this.#lossEpoch) this.#inFlight -= bytes;
      this.#delivered += bytes;
    }
    this.#deliveredAt = now;
    this.#ackedSentAt = newest.at;
    if (newest.lossEpoch !== this.#lossEpoch) return;
    this.#noteRoundTrip(now - newest.at, newest, now);
    this.#rate.note(newest, this.#delivered, this.#round, now);
    this.#noteJitter(now - newest.at, newest);
    const late = now - newest.at > this.#leastRoundTrip * (1 + LATE_RTT_SHARE) + LATE_RTT_MS;
    if (newest.delivered >= this.#roundEnd) this.#endRound();
    this.#adjust(late ? 0 : packets.reduce((sum, { bytes }) => sum + bytes, 0));
  }

  /** Forgets packets that will not be acknowledged. */
  forget(packets: readonly SentPacket[]): void {
    for (const { bytes, lossEpoch } of packets) if (lossEpoch === this.#lossEpoch) this.#inFlight -= bytes;
  }

  /** Time at which bytes in flight count as lost, unless an acknowledgement comes; Infinity if none are in flight. */
  get lossAt(): number {
    if (this.#inFlight === 0) return Infinity;
    const roundTrip = Number.isFinite(this.#leastRoundTrip) ? this.#leastRoundTrip : 0;
    const patience = Math.max(LOST_MS, LOST_ROUND_TRIPS * (roundTrip + ACK_DELAY));
    return Math.max(this.#lastSentAt, this.#deliveredAt) + patience;
  }

  /** Counts bytes in flight as lost if their time has come. The next few chunks probe the line. */
  expire(now: number): void {
    if (now < this.lossAt) return;
    this.#lossEpoch++;
    this.#inFlight = 0;
    this.#startAnew(MIN_WINDOW);
  }

  #startAnew(window: number): void {
    this.#window = Math.max(MIN_WINDOW, window);
    this.#state = "startup";
    this.#rate.clear();
    this.#leastRoundTrip = Infinity;
    this.#jitter = 0;
    this.#roundLeast = Infinity;
    this.#roundEnd = this.#delivered;
    this.#swollenTrips = 0;
    this.#flatRounds = 0;
    this.#flatRate = 0;
    this.#overfullRounds = 0;
    this.#plateauRate = 0;
    this.#unproductiveRounds = 0;
    this.#queueEmpty = true;
  }

  #noteRoundTrip(roundTrip: number, { delivered }: SentPacket, now: number): void {
    this.#roundLeast = Math.min(this.#roundLeast, roundTrip);
    const swollen = roundTrip > this.#leastRoundTrip * (1 + STARTUP_EXIT_RTT_GROWTH) + STARTUP_EXIT_RTT_MS;
    this.#swollenTrips = swollen ? this.#swollenTrips + 1 : 0;
    if (this.#state === "startup" && this.#swollenTrips >= STARTUP_EXIT_TRIPS) this.#endStartup();
    if (this.#state === "probe" && delivered >= this.#probeFrom) this.#state = "steady";
    else if (roundTrip > this.#leastRoundTrip) {
      if (now - this.#leastAt < LEAST_ROUND_TRIP_MS || this.#state === "probe") return;
      if (this.#state === "steady") {
        this.#state = "probe";
        this.#probeFrom = this.#delivered + this.#inFlight;
        return;
      }
    }
    this.#leastRoundTrip = roundTrip;
    this.#leastAt = now;
  }

  #noteJitter(roundTrip: number, { inFlight }: SentPacket): void {
    // More bytes in flight are a queue of our own, which explains the time.
    const explained = this.#leastRoundTrip + SCHEDULING_DELAY_MS;
    const unexplained = inFlight > this.rate * explained ? 0 : Math.min(MAX_JITTER_MS, Math.max(0, roundTrip - explained));
    this.#jitter += JITTER_SHARE * (unexplained - this.#jitter);
  }

  #endRound(): void {
    const overfull = this.#roundLeast > COLLAPSED_RTT_FACTOR * (this.#leastRoundTrip + ACK_DELAY);
    this.#overfullRounds = overfull ? this.#overfullRounds + 1 : 0;
    if (this.#overfullRounds >= COLLAPSED_ROUNDS) this.#rate.forgetBefore(this.#round);
    if (this.#state === "startup" && this.#isFlat()) this.#endStartup();
    const pays = this.rate > this.#plateauRate * (1 + MIN_PROBE_GAIN);
    if (pays || this.rate < this.#plateauRate * (1 - 2 * MIN_PROBE_GAIN)) this.#plateauRate = this.rate;
    this.#queueEmpty = this.#roundLeast <= this.#leastRoundTrip * (1 + EMPTY_QUEUE_RTT_SHARE) + EMPTY_QUEUE_RTT_MS;
    this.#unproductiveRounds = pays ? 0 : this.#unproductiveRounds + 1;
    this.#round++;
    this.#roundEnd = this.#delivered;
    this.#roundLeast = Infinity;
  }

  #endStartup(): void {
    this.#state = "steady";
    this.#plateauRate = this.rate;
    this.#unproductiveRounds = UNPRODUCTIVE_ROUNDS;
  }

  #isFlat(): boolean {
    if (this.rate > this.#flatRate * (1 + STARTUP_MIN_GROWTH)) {
      this.#flatRate = this.rate;
      this.#flatRounds = 0;
    } else this.#flatRounds++;
    return this.#flatRounds >= FLAT_ROUNDS;
  }

  get #gain(): number {
    if (this.#queueEmpty || this.#unproductiveRounds < UNPRODUCTIVE_ROUNDS) return PROBING_GAIN;
    return this.#round % DRAINING_ROUND === 0 ? DRAINING_GAIN : STEADY_GAIN;
  }

  /** Computes the window. `acknowledged`: bytes acknowledged in time. */
  #adjust(acknowledged: number): void {
    const delivered = this.rate * (this.#leastRoundTrip + ACK_DELAY);
    if (this.#state === "startup") {
      // Doubles in each round, as long as the window is used.
      if (this.#inFlight + acknowledged < this.#window / 2) return;
      const most = Math.min(MAX_WINDOW, Math.max(INITIAL_WINDOW, STARTUP_GAIN * delivered + WINDOW_HEADROOM));
      this.#window = Math.min(most, this.#window + acknowledged);
    } else if (this.#state === "probe") this.#window = PROBE_RTT_WINDOW;
    else {
      const wanted = this.#gain * (delivered + this.rate * this.#jitter) + WINDOW_HEADROOM;
      this.#window = Math.min(MAX_WINDOW, Math.max(MIN_WINDOW, wanted));
    }
  }
}
