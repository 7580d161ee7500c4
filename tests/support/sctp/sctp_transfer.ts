// A transfer through a LiveKit server, in simulated time: SCTP from the sender to the server, and from there to the receiver, each over a
// line of its own. Congestion control and chunk sizes are the real ones; the scheduler is a model of the real one.
import { STREAM_CHUNK_SIZE } from "../../../protocol/constants.ts";
import { chunkBytes } from "../../../protocol/flow/chunk_bytes.ts";
import { ACK_BYTES, ACK_DELAY, CongestionController } from "../../../protocol/flow/congestion.ts";
import type { SentPacket } from "../../../protocol/flow/delivery_rate.ts";
import { createRandom } from "../../../transports/hub/random.ts";
import { BUFFERED_BYTES } from "../../../transports/livekit/packet_sender.ts";
import { EventQueue } from "./event_queue.ts";
import { SctpHop, type SctpLine } from "./sctp_hop.ts";

export type { SctpLine };

/** Result of a transfer. */
export interface SctpOutcome {
  /** Bytes per ms, from the call to the last byte's arrival. */
  readonly rate: number;
  /** Latencies of the messages sent meanwhile, in ms, in order. */
  readonly latencies: readonly number[];
}

/** Sends bytes, and a message each 100 ms. `paced` is false for an SDK, which has no window. */
export function transferOverSctp(line: SctpLine, bytes: number, { paced, seed }: { paced: boolean; seed: number }): SctpOutcome {
  return new Transfer(line, bytes, paced, seed).run();
}

const MESSAGE_INTERVAL = 100;
const MESSAGE_BYTES = 200;

/** Bytes of a chunk's packet beyond its content. */
const ENVELOPE = 100;

/** Largest chunk over LiveKit, and the queue in the data channel of an SDK, in bytes. */
const LARGEST_CHUNK = 30_000;
const SDK_BUFFERED = 2 * 1024 * 1024;

/** Time for a request to the SDK, and for acknowledgements that are lost on the way. */
const REQUEST_MS = 0.2;
const LOST_ACK_MS = 40;

class Transfer {
  readonly #events = new EventQueue();
  readonly #line: SctpLine;
  readonly #toServer: SctpHop;
  readonly #toReceiver: SctpHop;
  readonly #controller: CongestionController | undefined;
  readonly #random: () => number;
  readonly #bytes: number;
  #sent = 0;
  #received = 0;
  #busy = false;
  /** Times of messages that wait. */
  readonly #messages: number[] = [];
  readonly #latencies: number[] = [];
  readonly #inFlight: SentPacket[] = [];
  /** Chunks and bytes that the receiver has not acknowledged yet. */
  #chunks = 0;
  #unacknowledged = 0;
  #acks = 0;
  #lastAck = 0;

  constructor(line: SctpLine, bytes: number, paced: boolean, seed: number) {
    this.#line = line;
    this.#bytes = bytes;
    this.#toServer = new SctpHop(this.#events, line, "client", seed);
    this.#toReceiver = new SctpHop(this.#events, line, "server", seed + 1_000);
    this.#controller = paced ? new CongestionController() : undefined;
    this.#random = createRandom(seed + 2_000);
  }

  run(): SctpOutcome {
    this.#say();
    this.#next();
    let end = NaN;
    while (this.#received < this.#bytes && this.#events.step()) end = this.#events.now;
    const rate = this.#bytes / end;
    const expected = Math.floor(end / MESSAGE_INTERVAL);
    while (this.#latencies.length < expected && this.#events.step());
    return { rate, latencies: this.#latencies };
  }

  #say(): void {
    if (this.#received >= this.#bytes) return;
    this.#messages.push(this.#events.now);
    this.#next();
    this.#events.at(this.#events.now + MESSAGE_INTERVAL, () => this.#say());
  }

  #next(): void {
    if (this.#busy) return;
    const { now } = this.#events;
    const message = this.#messages.shift();
    if (message !== undefined) return this.#give(MESSAGE_BYTES, () => this.#latencies.push(this.#events.now - message));
    this.#controller?.expire(now);
    if (this.#sent === this.#bytes || this.#controller?.canSend === false) return;
    const bounds = { chunkSize: STREAM_CHUNK_SIZE, largestChunk: LARGEST_CHUNK };
    const size = this.#controller === undefined ? STREAM_CHUNK_SIZE : chunkBytes(bounds, this.#controller.rate, this.#sent);
    const bytes = Math.min(size, this.#bytes - this.#sent);
    this.#sent += bytes;
    if (this.#controller !== undefined) this.#inFlight.push(this.#controller.send(bytes, now));
    this.#give(bytes + ENVELOPE, () => this.#arrive(bytes));
  }

  #give(bytes: number, arrived: () => void): void {
    this.#busy = true;
    this.#toServer.send(bytes, () => this.#toReceiver.send(bytes, arrived));
    this.#toServer.whenQueued(this.#controller === undefined ? SDK_BUFFERED : BUFFERED_BYTES, () => {
      this.#events.at(this.#events.now + REQUEST_MS, () => {
        this.#busy = false;
        this.#next();
      });
    });
  }

  #arrive(bytes: number): void {
    this.#received += bytes;
    this.#unacknowledged += bytes;
    this.#chunks++;
    if (this.#unacknowledged >= ACK_BYTES) return this.#acknowledge();
    if (this.#chunks > 1) return;
    const acks = this.#acks;
    this.#events.at(this.#events.now + ACK_DELAY, () => {
      if (acks === this.#acks) this.#acknowledge();
    });
  }

  #acknowledge(): void {
    const chunks = this.#chunks;
    this.#acks++;
    this.#chunks = 0;
    this.#unacknowledged = 0;
    const { delay, loss } = this.#line;
    const lost = [this.#random(), this.#random()].filter((value) => value < loss).length;
    this.#lastAck = Math.max(this.#lastAck, this.#events.now + 2 * delay + lost * (2 * delay + LOST_ACK_MS));
    this.#events.at(this.#lastAck, () => {
      this.#controller?.acknowledge(this.#inFlight.splice(0, chunks), this.#events.now);
      this.#next();
    });
  }
}
