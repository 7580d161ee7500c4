// Refusals of named receivers. Often no call can reject with one, as it comes seconds after the stream was sent.
import { StreamError } from "../../errors.ts";
import type { Destinations } from "../../protocol/flow/destinations.ts";
import type { Claim, ReceivingState } from "../../protocol/wire/control.ts";
import type { StreamDescription } from "../../protocol/wire/header.ts";
import { BoundedMap } from "../../common/bounded_map.ts";
import type { StreamContext } from "../common/context.ts";

/**
 * Ended streams whose refusal is still reported. A receiver has some thousand open at most, and refuses one after five seconds: enough for
 * 800 texts a second.
 */
const REMEMBERED = 4_096;

/** Reports an error that no call rejects with. */
export type Report = StreamContext["report"];

/** Identity of a stream in an error. */
export interface SentStream {
  readonly streamId: string;
  readonly topic: string;
}

/** A stream that the sender has ended. */
export interface EndedStream {
  readonly streamId: string;
  readonly error: StreamError | undefined;
  readonly spec: {
    readonly destinations: Destinations;
    readonly confirm: boolean;
    readonly sequence: number;
    readonly description: StreamDescription;
  };
}

/** Codes of a refusal: for want of a handler, or by the receiver's limits. */
export type Refusal = "refused" | "too-large";

/** Whether a stream's end at its receiver is a refusal. */
export function isRefusal(end: ReceivingState["end"]): end is Refusal {
  return end === "refused" || end === "too-large";
}

/** Makes the error of a refusal. */
export function refusalError({ streamId, topic }: SentStream, identity: string, code: Refusal, claim: Claim): StreamError {
  const why = code === "too-large"
    ? "takes no stream of that size"
    : claim === "claimed"
    ? "does not take it"
    : "has no handler for it, or it is over the limits there";
  const message = `Cannot send the stream as "${identity}" ${why}: topic is "${topic}", stream id is "${streamId}"`;
  return new StreamError(code, message, { streamId, identity });
}

/** Ended streams to one named receiver, without receipts, that the receiver may still refuse. */
export class PendingRefusals {
  readonly #identity: string;
  readonly #report: Report;
  readonly #streams = new BoundedMap<number, SentStream>(REMEMBERED);

  constructor(identity: string, report: Report) {
    this.#identity = identity;
    this.#report = report;
  }

  /** Adds a stream that has ended at this end. */
  add({ spec, error, streamId }: EndedStream): void {
    const { destinations, confirm, sequence, description: { info: { topic } } } = spec;
    const isSettled = error !== undefined || confirm || destinations.find(this.#identity)?.outcome !== undefined;
    if (destinations.isTargeted && !isSettled) this.#streams.set(sequence, { streamId, topic });
  }

  /** Takes the receiver's state of a stream. Reports a refusal once. */
  note({ sequence, end, claim }: ReceivingState): void {
    if (!isRefusal(end)) return;
    const stream = this.#streams.get(sequence);
    if (stream === undefined) return;
    this.#streams.delete(sequence);
    this.#report(refusalError(stream, this.#identity, end, claim), { ...stream, identity: this.#identity });
  }

  clear(): void {
    this.#streams.clear();
  }
}
