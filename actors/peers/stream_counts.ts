// Counts of the streams that two runtimes may open to each other; reset with each instance of the peer.
import type { Limits } from "../../protocol/limits.ts";
import { type StreamBudget, StreamCredit, StreamGrant } from "../../protocol/flow/stream_credit.ts";
import type { IncomingStream } from "../incoming/stream.ts";

export interface StreamCountsContext {
  readonly limits: Limits;
  readonly budget: StreamBudget;
  /** Number of open streams from the peer: of all its instances, and as another SDK. */
  openStreams(): number;
  /** Number of sends that wait for the peer's stream credit. */
  waiting(credit: StreamCredit): number;
  /** Called when the counts are worth a packet. */
  due(): void;
  /** Called when the peer has raised its stream limit or has left. */
  raised(): void;
}

/** The counts of a state packet. */
export interface ToldCounts {
  readonly streams?: number;
  readonly opened: number;
  readonly waiting?: number;
}

export class StreamCounts {
  readonly #context: StreamCountsContext;
  readonly #grants = new Map<IncomingStream, StreamGrant>();
  /** Open streams sent by another SDK, which has no stream credit. */
  readonly #uncounted = new Set<IncomingStream>();
  #credit = new StreamCredit();
  #grant: StreamGrant | undefined;
  #told = 0;

  constructor(context: StreamCountsContext) {
    this.#context = context;
  }

  /** Credit for streams to the peer. */
  get credit(): StreamCredit {
    return this.#credit;
  }

  /** Whether sends wait for the peer. */
  get isWaitedFor(): boolean {
    return this.#context.waiting(this.#credit) > 0;
  }

  /** Counts a stream of the peer until its end, even beyond the peer's instance. */
  open(stream: IncomingStream): void {
    if (stream.extension === undefined) {
      this.#uncounted.add(stream);
      return this.#context.budget.change(1);
    }
    const grant = this.#current();
    this.#grants.set(stream, grant);
    grant.open();
  }

  end(stream: IncomingStream): void {
    if (this.#uncounted.delete(stream)) {
      this.#context.budget.change(-1);
      return this.#context.budget.feed();
    }
    const grant = this.#grants.get(stream);
    this.#grants.delete(stream);
    grant?.end();
  }

  /** Raises the peer's stream limit, as far as the budget allows. */
  grow(): void {
    this.#current().grow();
  }

  /** Takes the peer's limit on streams. */
  raise(streams: number | undefined): void {
    if (this.#credit.raise(streams)) this.#context.raised();
  }

  /** Takes the peer's counts of opened streams and of waiting sends. Repeats a limit that the peer has not received. */
  note(opened: number, waiting = 0): void {
    const grant = this.#current();
    grant.noteSender(opened, waiting);
    if (waiting > 0 && (grant.limit ?? 0) > opened) this.#context.due();
  }

  /** Returns the peer's stream limit for a packet about to be sent. */
  tellLimit(): { streams?: number } {
    const { limit } = this.#current();
    if (limit === undefined) return {};
    this.#told = limit;
    return { streams: limit };
  }

  /** Returns the counts for a state packet about to be sent. */
  tell(): ToldCounts {
    const waiting = this.#context.waiting(this.#credit);
    return { ...this.tellLimit(), opened: this.#credit.opened, ...(waiting === 0 ? {} : { waiting }) };
  }

  /** Resets the counts, as the peer's instance has ended. */
  reset(): void {
    this.#credit.end();
    this.#credit = new StreamCredit();
    this.#grant?.close();
    this.#grant = undefined;
    this.#told = 0;
    this.#context.raised();
  }

  #current(): StreamGrant {
    const { limits, budget } = this.#context;
    return this.#grant ??= new StreamGrant({
      limits,
      budget,
      allOpen: () => this.#context.openStreams(),
      raised: () => {
        if (this.#grant?.isDue(this.#told) === true) this.#context.due();
      },
    });
  }
}
