// SCTP over one line in one direction, as in libwebrtc (clients) and pion (LiveKit's server): slow start, recovery from losses, delayed
// acknowledgements. Times are in ms, rates in bytes per ms.
import { createRandom } from "../../../transports/hub/random.ts";
import type { EventQueue } from "./event_queue.ts";

/** A line. */
export interface SctpLine {
  /** One-way delay. */
  readonly delay: number;
  /** Rate; Infinity for a line that only the machines limit. */
  readonly rate: number;
  /** Longest queue in ms. Packets beyond it are lost. */
  readonly queue: number;
  /** Probability that a packet is lost. */
  readonly loss: number;
}

/** Content of a packet, and what SCTP, DTLS and UDP add, in bytes. */
const CONTENT = 1_140;
const OVERHEAD = 85;
const ACK_BYTES = 60;

/** Rate at which a machine can send packets: a client and a server on one core each reach some 6 MB/s. */
const MACHINE_RATE = 6_000;

/** Delay of an acknowledgement of a lone packet. Each second packet is acknowledged at once. */
const DELAYED_ACK = 200;

/** Missing reports after which a packet counts as lost. */
const MISSING_REPORTS = 3;

/** Differences of the two implementations: first window, growth in slow start, condition of growth, burst, least time of retransmission. */
const KINDS = {
  client: { window: 10 * CONTENT, growth: CONTENT, burst: 4, timeout: 400 },
  server: { window: 4_380, growth: Infinity, burst: Infinity, timeout: 1_000 },
} as const;

interface Packet {
  readonly sequence: number;
  readonly bytes: number;
  sentAt: number;
  acknowledged: boolean;
  lost: boolean;
  missing: number;
  again: boolean;
}

interface Message {
  left: number;
  /** Sequence number of its last packet. */
  end: number;
  readonly arrived: () => void;
}

/** Association that sends messages over a line, in order. */
export class SctpHop {
  readonly #events: EventQueue;
  readonly #line: SctpLine;
  readonly #kind: (typeof KINDS)[keyof typeof KINDS];
  readonly #random: () => number;
  #window: number;
  #threshold = 1_000_000;
  #partial = 0;
  #outstanding = 0;
  #sequence = 0;
  /** Packets until they are acknowledged in order. */
  #packets: Packet[] = [];
  #queue: Message[] = [];
  #unread: Message[] = [];
  #queuedBytes = 0;
  #recovery: number | undefined;
  #roundTrip: number | undefined;
  #variance = 0;
  #timeout: number;
  #timer = 0;
  #timerSet = false;
  /** Times when the machine and the line are free. */
  #machineFree = 0;
  #lineFree = 0;
  /** State of the receiver: packets in order, packets beyond a gap, and packets to acknowledge. */
  #received = 0;
  readonly #beyond = new Set<number>();
  #unacknowledged = 0;
  #acks = 0;
  #waiter: { bytes: number; resolve: () => void } | undefined;

  constructor(events: EventQueue, line: SctpLine, kind: keyof typeof KINDS, seed: number) {
    this.#events = events;
    this.#line = line;
    this.#kind = KINDS[kind];
    this.#random = createRandom(seed);
    this.#window = this.#kind.window;
    this.#timeout = this.#kind.timeout;
  }

  /** Sends a message; `arrived` is called when it and all before it have arrived. */
  send(bytes: number, arrived: () => void): void {
    this.#queue.push({ left: bytes, end: 0, arrived });
    this.#queuedBytes += bytes;
    this.#sendQueued();
  }

  /** Calls back once at most so many bytes wait for SCTP's window. */
  whenQueued(bytes: number, resolve: () => void): void {
    this.#waiter = { bytes, resolve };
    this.#wake();
  }

  #wake(): void {
    const waiter = this.#waiter;
    if (waiter === undefined || this.#queuedBytes > waiter.bytes) return;
    this.#waiter = undefined;
    this.#events.at(this.#events.now, waiter.resolve);
  }

  #sendQueued(): void {
    for (let sent = 0; sent < this.#kind.burst; sent++) {
      const [message] = this.#queue;
      if (message === undefined) break;
      const bytes = Math.min(CONTENT, message.left);
      if (this.#outstanding > 0 && this.#outstanding + bytes > this.#window) break;
      message.left -= bytes;
      this.#queuedBytes -= bytes;
      this.#outstanding += bytes;
      const { now } = this.#events;
      const sequence = ++this.#sequence;
      const packet: Packet = { sequence, bytes, sentAt: now, acknowledged: false, lost: false, missing: 0, again: false };
      this.#packets.push(packet);
      if (message.left === 0) {
        message.end = sequence;
        this.#unread.push(message);
        this.#queue.shift();
      }
      this.#transmit(packet);
    }
    if (!this.#timerSet && this.#packets.length > 0) this.#startTimer();
    this.#wake();
  }

  #transmit({ sequence, bytes }: Packet): void {
    const { delay, rate, queue, loss } = this.#line;
    const size = bytes + OVERHEAD;
    this.#machineFree = Math.max(this.#machineFree, this.#events.now) + size / MACHINE_RATE;
    if (this.#random() < loss) return;
    const begin = Math.max(this.#lineFree, this.#machineFree);
    if (begin - this.#machineFree > queue) return;
    this.#lineFree = begin + size / rate;
    this.#events.at(this.#lineFree + delay, () => this.#arrive(sequence));
  }

  #sendAgain(): void {
    for (const packet of this.#packets) {
      if (!packet.lost) continue;
      if (this.#outstanding > 0 && this.#outstanding + packet.bytes > this.#window) break;
      this.#sendLost(packet);
    }
  }

  #sendLost(packet: Packet): void {
    packet.lost = false;
    packet.again = true;
    packet.missing = 0;
    packet.sentAt = this.#events.now;
    this.#outstanding += packet.bytes;
    this.#transmit(packet);
  }

  #startTimer(): void {
    const timer = ++this.#timer;
    this.#timerSet = true;
    this.#events.at(this.#events.now + this.#timeout, () => {
      if (timer === this.#timer) this.#expire();
    });
  }

  #expire(): void {
    this.#timerSet = false;
    if (this.#packets.length === 0) return;
    this.#threshold = Math.max(this.#window / 2, 4 * CONTENT);
    this.#window = CONTENT;
    this.#timeout *= 2;
    this.#recovery = undefined;
    this.#outstanding = 0;
    for (const packet of this.#packets) packet.lost = !packet.acknowledged;
    this.#sendAgain();
    this.#startTimer();
  }

  #arrive(sequence: number): void {
    const repeated = sequence <= this.#received || this.#beyond.has(sequence);
    if (!repeated) this.#beyond.add(sequence);
    while (this.#beyond.delete(this.#received + 1)) this.#received++;
    for (let [message] = this.#unread; message !== undefined && message.end <= this.#received; [message] = this.#unread) {
      this.#unread.shift();
      message.arrived();
    }
    this.#unacknowledged++;
    if (repeated || this.#beyond.size > 0 || this.#unacknowledged >= 2) return this.#acknowledge();
    const ack = ++this.#acks;
    this.#events.at(this.#events.now + DELAYED_ACK, () => {
      if (ack === this.#acks) this.#acknowledge();
    });
  }

  #acknowledge(): void {
    this.#unacknowledged = 0;
    this.#acks++;
    if (this.#random() < this.#line.loss) return;
    const [received, beyond] = [this.#received, new Set(this.#beyond)];
    const { rate, delay } = this.#line;
    this.#events.at(this.#events.now + delay + ACK_BYTES / rate, () => this.#noteAck(received, beyond));
  }

  #noteAck(received: number, beyond: ReadonlySet<number>): void {
    const before = this.#outstanding;
    let acknowledged = 0;
    let newest: Packet | undefined;
    for (const packet of this.#packets) {
      if (packet.acknowledged || (packet.sequence > received && !beyond.has(packet.sequence))) continue;
      packet.acknowledged = true;
      if (!packet.lost) this.#outstanding -= packet.bytes;
      packet.lost = false;
      acknowledged += packet.bytes;
      newest = packet;
    }
    if (newest?.again === false) this.#measure(this.#events.now - newest.sentAt);
    const advances = (this.#packets[0]?.sequence ?? Infinity) <= received;
    this.#packets = this.#packets.filter(({ sequence }) => sequence > received);
    if (this.#recovery !== undefined && received >= this.#recovery) this.#recovery = undefined;
    if (advances) {
      this.#grow(acknowledged, before);
      this.#timer++;
      this.#timerSet = false;
    }
    if (newest !== undefined) this.#noteMissing(newest.sequence);
    this.#sendAgain();
    this.#sendQueued();
  }

  #measure(roundTrip: number): void {
    const smooth = this.#roundTrip ?? roundTrip;
    this.#variance = this.#roundTrip === undefined ? roundTrip / 2 : 0.75 * this.#variance + 0.25 * Math.abs(smooth - roundTrip);
    this.#roundTrip = 0.875 * smooth + 0.125 * roundTrip;
    this.#timeout = Math.max(this.#kind.timeout, this.#roundTrip + 4 * this.#variance);
  }

  /** Windows grow only while they are used. */
  #grow(acknowledged: number, before: number): void {
    const used = this.#kind === KINDS.client ? before + CONTENT >= this.#window : this.#queue.length > 0;
    if (!used) return;
    if (this.#window <= this.#threshold) {
      if (this.#recovery === undefined) this.#window += Math.min(acknowledged, this.#window, this.#kind.growth);
      return;
    }
    this.#partial += acknowledged;
    if (this.#partial < this.#window) return;
    this.#partial -= this.#window;
    this.#window += CONTENT;
  }

  #noteMissing(newest: number): void {
    const lost = this.#packets.filter((packet) => {
      const recent = packet.again && this.#events.now - packet.sentAt < (this.#roundTrip ?? 0);
      return packet.sequence < newest && !packet.acknowledged && !packet.lost && !recent && ++packet.missing >= MISSING_REPORTS;
    });
    for (const packet of lost) {
      packet.lost = true;
      this.#outstanding -= packet.bytes;
    }
    const [first] = lost;
    if (first === undefined || this.#recovery !== undefined) return;
    this.#recovery = this.#sequence;
    this.#threshold = Math.max(this.#window / 2, 4 * CONTENT);
    this.#window = this.#threshold;
    this.#partial = 0;
    this.#sendLost(first); // at once, whatever the window
  }
}
