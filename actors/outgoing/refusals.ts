// Streams to named receivers that one of them does not take. Often no call can reject with that: it comes seconds after the stream was sent.
import { StreamError } from "../../errors.ts";
import type { Destinations } from "../../protocol/flow/destinations.ts";
import type { Claim, ReceivingState } from "../../protocol/wire/control.ts";
import type { StreamDescription } from "../../protocol/wire/header.ts";
import { BoundedMap } from "../../common/bounded_map.ts";
import type { StreamContext } from "../common/context.ts";

/**
 * Ended streams of which a refusal is still told. A receiver has at most some thousand open, and refuses one after five seconds: these are
 * some 800 texts a second to it, all that time.
 */
const REMEMBERED = 4_096;

/** Hands an error that nobody awaits to the user. */
export type Report = StreamContext["report"];

/** A stream, as an error is about it. */
export interface SentStream {
  readonly streamId: string;
  readonly topic: string;
}

/** A stream that has ended at this end. */
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

/** Codes by which a receiver says that it does not take a stream: for want of a handler, or by its limits. */
export type Refusal = "refused" | "too-large";

/** Whether a stream ended at its receiver as that does not take it. */
export function isRefusal(end: ReceivingState["end"]): end is Refusal {
  return end === "refused" || end === "too-large";
}

/** Error that the sender's user is told of a refusal. */
export function refusalError({ streamId, topic }: SentStream, identity: string, code: Refusal, claim: Claim): StreamError {
  const why = code === "too-large"
    ? "takes no stream of that size"
    : claim === "claimed"
    ? "does not take it"
    : "has no handler for it, or it is over the limits there";
  const message = `Cannot send the stream as "${identity}" ${why}: topic is "${topic}", stream id is "${streamId}"`;
  return new StreamError(code, message, { streamId, identity });
}

/** Streams to one receiver, named and without receipts, that have ended here and of which it may yet say that it does not take them. */
export class PendingRefusals {
  readonly #identity: string;
  readonly #report: Report;
  readonly #streams = new BoundedMap<number, SentStream>(REMEMBERED);

  constructor(identity: string, report: Report) {
    this.#identity = identity;
    this.#report = report;
  }

  /** A stream has ended at this end. */
  add({ spec, error, streamId }: EndedStream): void {
    const { destinations, confirm, sequence, description: { info: { topic } } } = spec;
    const isSettled = error !== undefined || confirm || destinations.find(this.#identity)?.outcome !== undefined;
    if (destinations.isTargeted && !isSettled) this.#streams.set(sequence, { streamId, topic });
  }

  /** The receiver says how one stands. It is told of once. */
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
