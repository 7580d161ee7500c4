import { MAX_UTF8_BYTES_PER_UNIT } from "../../protocol/constants.ts";
import { callNextTurn, cancelNextTurn, type NextTurn } from "../../common/platform.ts";
import type { ReceivingState, SendingState } from "../../protocol/wire/control.ts";
import type { IncomingStream } from "../incoming/stream.ts";
import type { OutgoingStream } from "../outgoing/stream.ts";

/** Bytes of rows in one state packet, below the 15,000 of a control packet. */
const STATE_BYTES = 12_000;

/** Rows in one state packet: the receiver spends up to 0.15 ms on each, if it ends a stream. */
const STATE_ROWS = 32;

/** Bytes of a row without its texts, and of one UTF-16 unit of them. */
const ROW_BYTES = 60;

/** Rows of a state packet. */
export interface StateRows {
  readonly receiving: readonly ReceivingState[];
  readonly sending: readonly SendingState[];
}

/**
 * Queue of stream states for a peer. They wait for the end of this turn of the event loop, so that many streams share a packet. They also wait
 * until the packet before was sent, so that peers take turns.
 */
export class StateUpdates {
  readonly #identity: string;
  readonly #send: (rows: StateRows) => Promise<void>;
  readonly #receiving = new Set<IncomingStream>();
  readonly #sending = new Set<OutgoingStream>();
  readonly #unknown = new Map<number, SendingState>();
  #creditDue = false;
  #scheduled: NextTurn;
  /** Number of packets that the transport has not sent yet. */
  #unsent = 0;
  /** Whether another flush is due once they were sent. */
  #isDue = false;

  constructor(identity: string, send: (rows: StateRows) => Promise<void>) {
    this.#identity = identity;
    this.#send = send;
  }

  /** Number of unknown streams that the peer has named. */
  get unknownStreams(): number {
    return this.#unknown.size;
  }

  /** Queues the state of an incoming stream. */
  addReceiving(stream: IncomingStream): void {
    this.#receiving.add(stream);
  }

  /** Queues the state of an outgoing stream. */
  addSending(stream: OutgoingStream): void {
    this.#sending.add(stream);
  }

  /** Queues the answer about an unknown stream. */
  addUnknown(row: SendingState): void {
    this.#unknown.set(row.sequence, row);
  }

  /** Queues a packet with credit and counts, which every state packet carries. */
  addCredit(): void {
    this.#creditDue = true;
  }

  /** Schedules a flush at the end of this turn of the event loop, or after the packets being sent. */
  schedule(): void {
    if (this.#unsent > 0) this.#isDue = true;
    else {
      this.#scheduled ??= callNextTurn(() => {
        this.#scheduled = undefined;
        this.flush();
      });
    }
  }

  /** Cancels the scheduled flush; the queue stays. */
  cancel(): void {
    if (this.#scheduled !== undefined) cancelNextTurn(this.#scheduled);
    this.#scheduled = undefined;
    this.#isDue = false;
  }

  #sent(): void {
    this.#unsent--;
    if (this.#unsent > 0 || !this.#isDue) return;
    this.#isDue = false;
    this.schedule();
  }

  /** Sends the queued states. */
  flush(): void {
    let receiving: ReceivingState[] = [];
    let sending: SendingState[] = [];
    let bytes = 0;
    const send = (): void => {
      this.#creditDue = false;
      this.#unsent++;
      void this.#send({ receiving, sending }).then(() => this.#sent());
      receiving = [];
      sending = [];
      bytes = 0;
    };
    const count = (row: { reason?: string; digest?: string }): void => {
      bytes += ROW_BYTES + MAX_UTF8_BYTES_PER_UNIT * ((row.reason?.length ?? 0) + (row.digest?.length ?? 0));
      if (bytes > STATE_BYTES || receiving.length + sending.length >= STATE_ROWS) send();
    };
    for (const stream of this.#receiving) {
      // A whole stream without receipts has no state to report.
      if (stream.ended && stream.error === undefined && stream.extension?.confirm === false) continue;
      receiving.push(stream.state());
      count(stream.error ?? {});
    }
    for (const stream of this.#sending) {
      sending.push(stream.state(stream.spec.destinations.find(this.#identity)));
      count(stream.error ?? {});
    }
    for (const row of this.#unknown.values()) {
      sending.push(row);
      count(row);
    }
    this.#receiving.clear();
    this.#sending.clear();
    this.#unknown.clear();
    if (this.#creditDue || receiving.length > 0 || sending.length > 0) send();
  }
}
