import type { StreamErrorCode } from "../../errors.ts";
import type { Claim, ReceivingState } from "../wire/control.ts";
import type { ConnectionSendWindow } from "./credit.ts";
import type { InFlight } from "./in_flight.ts";
import { Patience } from "./patience.ts";

/** Share of its unread bytes that a receiver must consume within `stallTimeout`, so that each call ends. */
export const RECEIPT_SHARE = 0.01;

/** End of a stream with one receiver: "done" is whole and confirmed. */
export type Outcome = "done" | StreamErrorCode;

/** One receiver of one stream, with the credit that it gave. Offsets in plain bytes. */
export class Destination {
  readonly identity: string;
  /** Credit of all streams to the receiver; undefined for another SDK, which knows no credit. */
  readonly connection: ConnectionSendWindow | undefined;
  /** Packets in flight; undefined where nothing is paced, and for another SDK. */
  readonly inFlight: InFlight | undefined;
  claim: Claim = "pending";
  /** Whether the receiver ever had a handler: only then a broadcast asks for its receipt. */
  hadHandler = false;
  /** Offset up to which the receiver allows bytes. */
  credit: number;
  taken = 0;
  outcome: Outcome | undefined;
  reason: string | undefined;
  /** Waits for its credit or receipt, and for its acknowledgements. */
  readonly patience: Patience = new Patience();
  readonly ackPatience: Patience = new Patience();
  /** Whether all was sent: then its receipt is waited for, and credit is no progress any more. */
  #isDrained = false;
  /** Offset up to which the receiver was sent to; undefined while more may follow. */
  final: number | undefined;
  /** Offset up to which the connection's credit is used; of a frame being sent, to its end. */
  #charged = 0;

  constructor(identity: string, credit: number, connection: ConnectionSendWindow | undefined, inFlight?: InFlight) {
    this.identity = identity;
    this.inFlight = inFlight;
    this.credit = credit;
    this.connection = connection;
  }

  /** Whether the receiver is a Millrace runtime, and not another SDK. */
  get isMillrace(): boolean {
    return this.connection !== undefined;
  }

  /** Whether its credit covers the bytes from one offset to another. */
  allows(from: number, to: number): boolean {
    return this.connection === undefined || (to <= this.credit && this.connection.allows(from, to));
  }

  /** Uses shared credit up to an offset. */
  charge(to: number): void {
    this.connection?.use(this.#charged, to);
    this.#charged = to;
  }

  /** Ends its part at an offset: credit used for more is free again. */
  finish(sent: number): void {
    if (this.final !== undefined) return;
    this.final = sent;
    this.charge(sent);
    if (this.outcome !== undefined) this.inFlight?.abandon();
  }

  /** Starts the wait for its receipt, as all was sent. It must consume at least 1 % of the rest within each `stallTimeout`. */
  awaitReceipt(now: number, sent: number): void {
    if (!this.#isDrained) this.patience.reset();
    this.#isDrained = true;
    this.patience.begin(now, this.taken, Math.ceil((sent - this.taken) * RECEIPT_SHARE));
  }

  /** Takes a state that the receiver sent; true if anything has changed. */
  note(state: ReceivingState): boolean {
    const news = state.credit > this.credit || state.taken > this.taken ||
      (state.claim !== this.claim && this.claim !== "claimed");
    if (state.claim === "claimed" && this.claim !== "claimed") this.patience.reset(); // once: it has begun
    this.credit = Math.max(this.credit, state.credit);
    this.taken = Math.max(this.taken, state.taken);
    if (this.claim !== "claimed") this.claim = state.claim; // what comes late is older
    if (state.claim === "claimed") this.hadHandler = true;
    if (state.end !== undefined && this.outcome === undefined) {
      this.outcome = state.end;
      this.reason = state.reason;
    }
    this.patience.progressed(this.#isDrained ? this.taken : this.credit);
    return news || state.end !== undefined;
  }
}
