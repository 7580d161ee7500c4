// How much may be on its way to one receiver: bytes sent and not yet acknowledged. It follows what the receiver is seen to take in a
// round trip (as BBR does: delivery rate times least round trip), so that the queues in SDK, server and network stay short, and what is
// sent beside a bulk transfer is not behind it. Pure: time is given in, in milliseconds.
import { STREAM_CHUNK_SIZE } from "../constants.ts";

/**
 * Milliseconds that a receiver may keep an acknowledgement for company. Added to the least round trip, as bytes wait for theirs on the
 * way back as well.
 */
export const ACK_DELAY = 10;

/** Bytes after which an acknowledgement waits no longer. */
export const ACK_BYTES: number = 4 * STREAM_CHUNK_SIZE;

/** The window is never smaller, in bytes: with less than a few chunks there is nothing to measure. */
const MIN_WINDOW: number = 2 * STREAM_CHUNK_SIZE;

/** The first window, in bytes. */
const INITIAL_WINDOW: number = 4 * STREAM_CHUNK_SIZE;

/**
 * Extra round-trip time that bytes in flight cannot explain is scheduling jitter, past the delay with which a machine comes to a packet.
 * It is averaged with weight JITTER_SHARE, each sample capped at MAX_JITTER_MS.
 */
const SCHEDULING_DELAY_MS = 25;
const JITTER_SHARE = 1 / 16;
const MAX_JITTER_MS = 100;

/** Never larger, in bytes: a rate measured wrongly must not become a queue without end. */
const MAX_WINDOW: number = 64 * 1024 * 1024;

/**
 * Window in what is delivered in a round trip: a quarter more, so that a faster line shows, where there is no queue and for as long as it
 * pays; else no more; and less for one round in eight, so that a queue of one's own is not taken for the way's length.
 */
const PROBING_GAIN = 1.25;
const STEADY_GAIN = 1;
const DRAINING_GAIN = 0.75;
const DRAINING_ROUND = 8;

/** There is no queue if a round trip of the last round was longer than the least by no more than this share, and so many milliseconds. */
const EMPTY_QUEUE_RTT_SHARE = 0.1;
const EMPTY_QUEUE_RTT_MS = 10;

/** It pays if the rate grows by this share within so many rounds. */
const MIN_PROBE_GAIN = 0.05;
const UNPRODUCTIVE_ROUNDS = 3;

/** Bytes beyond, whatever was measured: what a new stream needs to grow beside old ones. */
const WINDOW_HEADROOM: number = STREAM_CHUNK_SIZE;

/** Round trips of which the largest delivery rate counts. */
const RATE_ROUNDS = 10;

/** Milliseconds for which the least round trip counts. Then the queue is let run dry for a round, to see what is least now. */
const LEAST_ROUND_TRIP_MS = 10_000;

/** The window meanwhile, in bytes. */
const PROBE_RTT_WINDOW: number = STREAM_CHUNK_SIZE;

/** The window of start-up in what is delivered in a round trip: a round in which it has doubled shows before it doubles again. */
const STARTUP_GAIN = 2.5;

/** A round trip that is longer than the least by this share, and so many milliseconds, is no reason to let more go. */
const LATE_RTT_SHARE = 0.125;
const LATE_RTT_MS = 10;

/** Start-up ends when so many on end are longer than the least so far by this share, and so many milliseconds. */
const STARTUP_EXIT_RTT_GROWTH = 0.25;
const STARTUP_EXIT_RTT_MS = 20;
const STARTUP_EXIT_TRIPS = 3;

/** It ends as well when the delivery rate has not grown by this share in so many rounds. */
const STARTUP_MIN_GROWTH = 0.25;
const FLAT_ROUNDS = 3;

/** A round trip of so many times the least, in rounds on end, means that the line has become slower: what it once gave is forgotten. */
const COLLAPSED_RTT_FACTOR = 2.5;
const COLLAPSED_ROUNDS = 2;

/** Milliseconds without anything on its way after which what was measured is too old. */
const IDLE_MS = 5_000;

/** Round trips without an acknowledgement after which what is under way counts as lost; and milliseconds at least. */
const LOST_ROUND_TRIPS = 4;
const LOST_MS = 2_000;

/** Something that was sent, as it is known until it is acknowledged. */
export interface SentPacket {
  readonly bytes: number;
  readonly at: number;
  /** Bytes acknowledged when it was sent, and when that was. */
  readonly delivered: number;
  readonly deliveredAt: number;
  /** When what was acknowledged last had been sent. */
  readonly ackedSentAt: number;
  /** Bytes on their way, itself included. */
  readonly inFlight: number;
  /** There was room for more: what it shows of the rate is what was asked for, not what was to be had. */
  readonly limited: boolean;
  /** Which count of losses it belongs to. */
  readonly lossEpoch: number;
}

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
  readonly #rates: { round: number; rate: number }[] = [];
  #leastRoundTrip = Infinity;
  #leastAt = 0;
  #jitter = 0;
  #round = 0;
  /** The round is over when so many bytes are delivered. */
  #roundEnd = 0;
  #roundLeast = Infinity;
  #swollenTrips = 0;
  #flatRounds = 0;
  #flatRate = 0;
  #overfullRounds = 0;
  /** The rate that probing has led to, and the rounds since it last did. */
  #plateauRate = 0;
  #unproductiveRounds = 0;
  /** Whether there was no queue in the last round. */
  #queueEmpty = true;

  /** Bytes that may be on their way. */
  get window(): number {
    return this.#window;
  }

  /** Bytes that are. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether more may go. */
  get canSend(): boolean {
    return this.#inFlight < this.#window;
  }

  /** Bytes in a millisecond, the most of the last rounds; 0 if nothing was measured. */
  get rate(): number {
    return this.#rates[0]?.rate ?? 0;
  }

  /** In milliseconds; Infinity if nothing was measured. */
  get leastRoundTrip(): number {
    return this.#leastRoundTrip;
  }

  /** Notes what is sent now. Give the shipment back when it is acknowledged, or forgotten. */
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

  /** The shipments have come; the last of them is the newest. */
  acknowledge(shipments: readonly SentPacket[], now: number): void {
    const newest = shipments.at(-1);
    if (newest === undefined) return;
    for (const shipment of shipments) {
      if (shipment.lossEpoch === this.#lossEpoch) this.#inFlight -= shipment.bytes;
      this.#delivered += shipment.bytes;
    }
    this.#deliveredAt = now;
    this.#ackedSentAt = newest.at;
    if (newest.lossEpoch !== this.#lossEpoch) return;
    this.#noteRoundTrip(now - newest.at, newest, now);
    this.#noteRate(newest, now);
    this.#noteJitter(now - newest.at, newest);
    const late = now - newest.at > this.#leastRoundTrip * (1 + LATE_RTT_SHARE) + LATE_RTT_MS;
    if (newest.delivered >= this.#roundEnd) this.#endRound();
    this.#adjust(late ? 0 : shipments.reduce((sum, { bytes }) => sum + bytes, 0));
  }

  /** Nobody will acknowledge these any more. */
  forget(shipments: readonly SentPacket[]): void {
    for (const { bytes, lossEpoch } of shipments) if (lossEpoch === this.#lossEpoch) this.#inFlight -= bytes;
  }

  /** When, if nothing is acknowledged, what is under way counts as lost; Infinity if nothing is under way. */
  get lossAt(): number {
    if (this.#inFlight === 0) return Infinity;
    const roundTrip = Number.isFinite(this.#leastRoundTrip) ? this.#leastRoundTrip : 0;
    const patience = Math.max(LOST_MS, LOST_ROUND_TRIPS * (roundTrip + ACK_DELAY));
    return Math.max(this.#lastSentAt, this.#deliveredAt) + patience;
  }

  /** Gives up what is under way if it is time to: the next few chunks find out whether there is still a way. */
  expire(now: number): void {
    if (now < this.lossAt) return;
    this.#lossEpoch++;
    this.#inFlight = 0;
    this.#startAnew(MIN_WINDOW);
  }

  #startAnew(window: number): void {
    this.#window = Math.max(MIN_WINDOW, window);
    this.#state = "startup";
    this.#rates.length = 0;
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

  /** Delivery rate: bytes delivered since the packet was sent, over the longer of the times to send and to acknowledge them. */
  #noteRate({ delivered, deliveredAt, at, ackedSentAt, limited }: SentPacket, now: number): void {
    const elapsed = Math.max(now - deliveredAt, at - ackedSentAt);
    if (elapsed <= 0) return;
    const rate = (this.#delivered - delivered) / elapsed;
    if (limited && rate < this.rate) return;
    while (this.#rates.length > 0 && (this.#rates.at(-1)?.rate ?? 0) <= rate) this.#rates.pop();
    this.#rates.push({ round: this.#round, rate });
    while ((this.#rates[0]?.round ?? this.#round) < this.#round - RATE_ROUNDS) this.#rates.shift();
  }

  #noteJitter(roundTrip: number, { inFlight }: SentPacket): void {
    // With more under way a queue of one's own explains it.
    const explained = this.#leastRoundTrip + SCHEDULING_DELAY_MS;
    const unexplained = inFlight > this.rate * explained ? 0 : Math.min(MAX_JITTER_MS, Math.max(0, roundTrip - explained));
    this.#jitter += JITTER_SHARE * (unexplained - this.#jitter);
  }

  #endRound(): void {
    const overfull = this.#roundLeast > COLLAPSED_RTT_FACTOR * (this.#leastRoundTrip + ACK_DELAY);
    this.#overfullRounds = overfull ? this.#overfullRounds + 1 : 0;
    if (this.#overfullRounds >= COLLAPSED_ROUNDS) this.#forgetRates();
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

  #forgetRates(): void {
    const recent = this.#rates.filter(({ round }) => round >= this.#round - 1);
    if (recent.length > 0) this.#rates.splice(0, this.#rates.length, ...recent);
  }

  get #gain(): number {
    if (this.#queueEmpty || this.#unproductiveRounds < UNPRODUCTIVE_ROUNDS) return PROBING_GAIN;
    return this.#round % DRAINING_ROUND === 0 ? DRAINING_GAIN : STEADY_GAIN;
  }

  /** `acknowledged`: the bytes that have come in time. */
  #adjust(acknowledged: number): void {
    const delivered = this.rate * (this.#leastRoundTrip + ACK_DELAY);
    if (this.#state === "startup") {
      // Twice as much in each round, as long as it is used.
      if (this.#inFlight + acknowledged < this.#window / 2) return;
      const most = Math.min(MAX_WINDOW, Math.max(INITIAL_WINDOW, STARTUP_GAIN * delivered + WINDOW_HEADROOM));
      this.#window = Math.min(most, this.#window + acknowledged);
    } else if (this.#state === "probe") this.#window = PROBE_RTT_WINDOW;
    else {this.#window = Math.min(
        MAX_WINDOW,
        Math.max(MIN_WINDOW, this.#gain * (delivered + this.rate * this.#jitter) + WINDOW_HEADROOM),
      );}
  }
}
