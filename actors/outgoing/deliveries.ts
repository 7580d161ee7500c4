import { StreamError, type StreamErrorCode } from "../../errors.ts";
import type { Destination } from "../../protocol/flow/destination.ts";
import { type ReceivingState, senderCode } from "../../protocol/wire/control.ts";
import type { StreamContext } from "../common/context.ts";
import type { OutgoingSpec } from "./plan.ts";
import { isRefusal, type Refusal, refusalError } from "./refusals.ts";

/** Stream of a {@linkcode Deliveries}. */
export interface DeliveredStream {
  /** Plain bytes sent so far. */
  readonly offset: number;
  /** Queues a state packet with the stream's state for a receiver. */
  notifyReceiver(destination: Destination): void;
  /** Fails the stream, as no receiver is left. */
  loseReceivers(error: StreamError): void;
  /** Notes that every awaited receipt has arrived. */
  settleReceipts(): void;
  /** Wakes the pump, as a receiver's state has changed. */
  unblock(): void;
}

/** Delivery of one stream to each of its receivers: claims, credit, receipts, refusals and losses. */
export class Deliveries {
  readonly #spec: OutgoingSpec;
  readonly #context: StreamContext;
  readonly #stream: DeliveredStream;
  #state: "sending" | "confirming" | "ended" = "sending";
  /** Digest in the stream's trailer, base64. */
  #digest = "";

  constructor(spec: OutgoingSpec, context: StreamContext, stream: DeliveredStream) {
    this.#spec = spec;
    this.#context = context;
    this.#stream = stream;
  }

  /** Whether every awaited receipt has arrived. */
  get confirmed(): boolean {
    return !this.#spec.confirm || this.#spec.destinations.awaited.length === 0;
  }

  /** Error if no receiver confirmed the whole stream. */
  get unconfirmed(): StreamError | undefined {
    if (!this.#spec.confirm) return undefined;
    const receipts = this.#spec.destinations.receipts();
    const [first] = receipts;
    if (first?.error === undefined || receipts.some(({ error }) => error === undefined)) return undefined;
    return this.#lossOf(this.#spec.destinations.find(first.identity), first.error);
  }

  /** Adds a receiver of the rest of the stream. */
  add(destination: Destination): void {
    this.#spec.destinations.add(destination, this.#stream.offset);
  }

  /** Starts the wait for receipts, as all bytes were sent. */
  awaitReceipts(digest: string): void {
    const now = this.#context.clock.now();
    this.#state = "confirming";
    this.#digest = digest;
    for (const destination of this.#spec.destinations.awaited) destination.awaitReceipt(now, this.#stream.offset);
  }

  /** Ends the deliveries: later states and losses are ignored. */
  end(): void {
    this.#state = "ended";
  }

  /** Handles a receiver's state of the stream. */
  noteState(identity: string, state: ReceivingState): void {
    const destination = this.#open(identity);
    if (destination?.isMillrace !== true) return;
    const sent = this.#stream.offset;
    const isDrained = this.#state === "confirming";
    if (state.received > sent) return; // more than was sent: forged, or from an earlier instance
    if (state.end === "done" && (!isDrained || state.taken !== sent)) return;
    const differs = state.end === "done" && state.digest !== this.#digest;
    const changed = destination.note(differs ? { ...state, end: "corrupt" } : state);
    if (isDrained && destination.outcome === undefined) destination.awaitReceipt(this.#context.clock.now(), sent);
    if (state.end !== undefined && state.end !== "done") this.#stream.notifyReceiver(destination); // with the offset up to which it was sent to
    if (isRefusal(state.end)) this.#reportRefusal(destination, state.end);
    else if (state.end === "disconnected") this.#reportLoss(destination, state.end);
    if (changed) this.#update();
  }

  /** Ends the delivery to a receiver that has left. */
  noteGone(identity: string, code: StreamErrorCode): void {
    const destination = this.#open(identity);
    if (destination === undefined) return;
    this.#spec.destinations.settle(destination, code, this.#stream.offset);
    this.#reportLoss(destination, code);
    this.#update();
  }

  /** Drops a receiver that is silent. Receivers of another SDK always are. */
  noteSilent(identity: string): void {
    const destination = this.#open(identity);
    if (destination?.isMillrace === true) this.drop(destination, "timeout");
  }

  /** Notes a receiver's acknowledgement of the first `chunks` chunks. */
  noteArrived(identity: string, chunks: number): void {
    this.#spec.destinations.find(identity)?.inFlight?.acknowledge(chunks, this.#context.clock.now());
  }

  /** Ends the stream for one receiver, and notifies it. */
  drop(destination: Destination, code: StreamErrorCode): void {
    this.#spec.destinations.settle(destination, code, this.#stream.offset);
    if (destination.isMillrace) this.#stream.notifyReceiver(destination);
    this.#reportLoss(destination, code);
    this.#update();
  }

  /** Drops the receivers that have stalled the stream for `limits.stallTimeout`. */
  sweepStalled(): void {
    const { clock, limits } = this.#context;
    const { destinations } = this.#spec;
    for (const destination of destinations.stalled(clock.now(), limits.stallTimeout)) {
      if (!destinations.isUnheard(destination)) {
        this.drop(destination, "timeout");
        continue;
      }
      destinations.settle(destination, "timeout", this.#stream.offset); // neither notified nor reported: the receiver may get the whole stream
      this.#update();
    }
  }

  /** Time until a receiver may have stalled too long, in ms. */
  untilStall(): number {
    const { clock, limits } = this.#context;
    const next = this.#spec.destinations.nextStall(limits.stallTimeout);
    return next === undefined ? limits.stallTimeout : Math.max(1, next - clock.now());
  }

  /** End of the stream for one receiver; undefined while the stream goes on. */
  endFor(destination: Destination | undefined): { final: number; end?: StreamErrorCode } | undefined {
    const final = destination?.final ?? this.#stream.offset;
    const outcome = destination?.outcome;
    if (outcome !== undefined && outcome !== "done") return { final, end: senderCode(outcome) };
    return this.#state === "sending" ? undefined : { final };
  }

  /** Finds a receiver whose delivery has not ended. */
  #open(identity: string): Destination | undefined {
    const destination = this.#state === "ended" ? undefined : this.#spec.destinations.find(identity);
    return destination?.outcome === undefined ? destination : undefined;
  }

  #update(): void {
    this.#spec.destinations.refresh(this.#stream.offset);
    const lost = this.#spec.destinations.failedDestination();
    const isConfirming = this.#state === "confirming";
    if (lost?.outcome !== undefined && lost.outcome !== "done" && !(isConfirming && this.#spec.confirm)) {
      this.#stream.loseReceivers(this.#lossOf(lost, lost.outcome));
    } else if (isConfirming && this.confirmed) this.#stream.settleReceipts();
    this.#stream.unblock();
  }

  /** Reports a named receiver's refusal, unless the receiver has a handler and a receipt or the stream's error states the refusal. */
  #reportRefusal(destination: Destination, code: Refusal): void {
    const { destinations, confirm, description: { info: { topic, streamId } } } = this.#spec;
    const { identity, claim } = destination;
    const isAlone = destinations.active.length === 1;
    if (!destinations.isTargeted || (claim === "claimed" && (confirm || isAlone))) return;
    this.#context.report(refusalError({ streamId, topic }, identity, code, claim), { streamId, topic, identity });
  }

  /** Reports that the stream continues without a named receiver, unless a receipt does. */
  #reportLoss(destination: Destination, code: StreamErrorCode): void {
    const { destinations, confirm, description: { info: { topic, streamId } } } = this.#spec;
    const goesOn = destinations.active.some(({ outcome }) => outcome === undefined);
    if (!destinations.isTargeted || confirm || !goesOn) return;
    this.#context.report(this.#lossOf(destination, code), { streamId, topic, identity: destination.identity });
  }

  #lossOf(destination: Destination | undefined, code: StreamErrorCode): StreamError {
    const { streamId } = this.#spec.description.info;
    const { identity = "", reason } = destination ?? {};
    const why = LOSS_TEXTS[code] ?? `failed to take it: ${code}`;
    const message = `Cannot send the stream as "${identity}" ${why}: stream id is "${streamId}"`;
    return new StreamError(code, message, { streamId, identity, ...(reason === undefined ? {} : { reason }) });
  }
}

const LOSS_TEXTS: Partial<Record<StreamErrorCode, string>> = {
  cancelled: "cancelled it",
  disconnected: "is not here",
  refused: "does not take it",
  timeout: "made no progress",
  "too-large": "takes no stream of that size",
};
