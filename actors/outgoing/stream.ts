import { StreamError, type StreamErrorCode } from "../../errors.ts";
import { type ReceivingState, senderCode, type SendingState } from "../../protocol/wire/control.ts";
import type { Destination, Destinations } from "../../protocol/flow/destinations.ts";
import type { HeaderExtension, StreamDescription } from "../../protocol/wire/header.ts";
import type { StreamHeader } from "../../protocol/wire/packets.ts";
import { type Progress, ProgressMeter, ProgressTracker } from "../../protocol/progress.ts";
import { tell } from "../common/callbacks.ts";
import type { StreamContext } from "../common/context.ts";
import type { CompressionOptions } from "../../workers/codec.ts";
import { SendQueue } from "./send_queue.ts";
import type { OutgoingActor, OutgoingEffects, OutgoingEvent } from "./machine.ts";
import { isRefusal, type Refusal, refusalError } from "./refusals.ts";

/** Milliseconds that a chunk may take of the way to its receivers, if that is the reason for its being larger than usual. */
const CHUNK_MS = 8;

/** Segments in use, in bytes, past which each stream makes do with one segment: a thousand bulk streams share what a few may spread in. */
const CROWDED_BYTES = 64 * 1024 * 1024;

/** Specification of an outgoing stream, fixed when it is opened. */
export interface OutgoingSpec {
  readonly description: StreamDescription;
  readonly header: StreamHeader;
  /** Undefined: no receiver is a Millrace runtime. */
  readonly extension: HeaderExtension | undefined;
  /** It waits for its turn, chunk by chunk. */
  readonly bulk: boolean;
  /** Its header may carry all of it, as every receiver reads that and there is nothing to wait for. */
  readonly whole: boolean;
  readonly sequence: number;
  readonly destinations: Destinations;
  readonly confirm: boolean;
  readonly totalSize: number | undefined;
  /** How its frames are compressed, and whether only if a sample shows that it is worth it; undefined: not at all. */
  readonly compression: Compression | undefined;
  /** Plain bytes a frame may hold. */
  readonly frameBytes: number;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

/** See {@linkcode OutgoingSpec.compression}. */
export type Compression = Omit<CompressionOptions, "thorough">;

/** Calls of an outgoing stream on its runtime. */
export interface StreamHooks {
  /** Starts the stream's pump, and returns the call that stops it. */
  start(stream: OutgoingStream, report: (event: OutgoingEvent) => void): () => void;
  /** A receiver is to be told how the stream stands. */
  notify(stream: OutgoingStream, destination: Destination): void;
  /** The stream's header is on its way to its receivers. */
  headerSent(): void;
  /** The stream has ended. */
  ended(stream: OutgoingStream): void;
}

/** State of an outgoing stream beside its machine's. Its actor decides, its pump moves bytes; both, and the writer, meet here. */
export class OutgoingStream implements OutgoingEffects {
  readonly spec: OutgoingSpec;
  readonly context: StreamContext;
  readonly queue: SendQueue;
  readonly tracker: ProgressTracker;
  /** Resolves when the header was sent, rejects if the stream failed before. */
  readonly opened: Promise<void>;
  /** Resolves when the stream has closed, rejects with what it failed with. */
  readonly settled: Promise<void>;
  /** Plain bytes given to the transport. */
  offset = 0;
  /** Chunks given to the transport. */
  chunks = 0;
  /** Whether the header was given to the transport, so that receivers know of the stream. */
  announced = false;
  /** Resolves when the pump has ended: nothing more of the stream will be sent. */
  pumped: Promise<void> = Promise.resolve();
  /** Set by the runtime as soon as there is one. */
  actor!: OutgoingActor;
  readonly #meter: ProgressMeter;
  readonly #hooks: StreamHooks;
  #wake: (() => void) | undefined;
  #resolveOpened!: () => void;
  #rejectOpened!: (error: StreamError) => void;
  #resolveSettled!: () => void;
  #rejectSettled!: (error: StreamError) => void;
  #ended = false;
  #drained = false;
  /** As in the trailer. */
  #digest: string | undefined;
  #error: StreamError | undefined;

  constructor(spec: OutgoingSpec, context: StreamContext, hooks: StreamHooks) {
    this.spec = spec;
    this.context = context;
    this.#hooks = hooks;
    this.queue = new SendQueue(() => context.codec.segments.inUse > CROWDED_BYTES);
    this.tracker = new ProgressTracker(spec.totalSize ?? 0);
    this.#meter = new ProgressMeter(spec.totalSize, context.clock.now());
    this.opened = new Promise((resolve, reject) => {
      this.#resolveOpened = resolve;
      this.#rejectOpened = reject;
    });
    this.settled = new Promise((resolve, reject) => {
      this.#resolveSettled = resolve;
      this.#rejectSettled = reject;
    });
    this.opened.catch(() => {}); // whoever awaits them handles them; nobody has to
    this.settled.catch(() => {});
  }

  start(report: (event: OutgoingEvent) => void): () => void {
    return this.#hooks.start(this, report);
  }

  /** Keeps the stream out of what an inspector serialises of its actor's context. */
  toJSON(): undefined {
    return undefined;
  }

  get streamId(): string {
    return this.spec.description.info.streamId;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Error that the stream failed with. */
  get error(): StreamError | undefined {
    return this.#error;
  }

  get framed(): boolean {
    return this.spec.extension?.format === "framed";
  }

  /** The header was given to the transport. */
  noteHeaderSent(): void {
    this.announced = true;
    this.#hooks.headerSent();
  }

  noteOpened(): void {
    this.#resolveOpened();
  }

  /** Bytes were given to the transport. */
  noteSent(bytes: number): void {
    this.offset += bytes;
    this.chunks++;
    this.tracker.update(bytes);
    if (this.spec.onProgress === undefined) return;
    const progress = this.#meter.note(this.offset, this.context.clock.now());
    if (progress !== undefined) this.#reportProgress(progress);
  }

  /** Entered by its actor: all was sent, and confirmed if that was asked for. */
  complete(): void {
    if (this.#ended) return;
    this.#end(() => {
      this.#resolveOpened();
      this.#resolveSettled();
    });
  }

  /** Entered by its actor, or when that was stopped: the stream ends before it is whole. */
  fail(error: StreamError): void {
    if (this.#ended) return;
    this.#error = error;
    this.spec.destinations.finish(this.offset);
    this.#end(() => {
      this.queue.fail(error);
      this.#rejectOpened(error);
      this.#rejectSettled(error);
    });
  }

  /** Code that receivers are told of a failure. */
  get wireCode(): StreamErrorCode {
    return senderCode(this.#error?.code ?? "aborted");
  }

  /** Waits until a receiver has said something, or, if one is waited for a short while only, until that is over. */
  async blocked(ms: number): Promise<void> {
    let timer: unknown;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (this.#ended) resolve();
      else timer = this.context.clock.setTimeout(resolve, ms);
    });
    this.#wake = undefined;
    this.context.clock.clearTimeout(timer);
  }

  /** Credit was raised, for this stream or for all. */
  unblock(): void {
    this.#wake?.();
  }

  /** A receiver says how it stands. */
  noteState(identity: string, state: ReceivingState): void {
    const destination = this.spec.destinations.find(identity);
    if (destination === undefined || destination.connection === undefined || destination.outcome !== undefined || this.#ended) {
      return;
    }
    if (state.received > this.offset) return; // more than was sent: a forgery, or of another life
    if (state.end === "done" && (!this.#drained || state.taken !== this.offset)) return;
    const differs = state.end === "done" && state.digest !== this.#digest;
    const changed = destination.note(differs ? { ...state, end: "corrupt" } : state);
    if (this.#drained && destination.outcome === undefined) destination.awaitReceipt(this.context.clock.now(), this.offset);
    if (state.end !== undefined && state.end !== "done") this.#hooks.notify(this, destination); // it wants to know how far it was sent
    if (isRefusal(state.end)) this.#noteRefusal(destination, state.end);
    else if (state.end === "disconnected") this.#noteLoss(destination, state.end);
    if (changed) this.#changed();
  }

  /** One of the named does not take it: told where no call rejects with that, and always of one that has no handler. */
  #noteRefusal(destination: Destination, code: Refusal): void {
    const { destinations, confirm, description: { info: { topic } } } = this.spec;
    const { identity, claim } = destination;
    const isAlone = destinations.active.length === 1;
    if (!destinations.isTargeted || (claim === "claimed" && (confirm || isAlone))) return;
    const { streamId } = this;
    this.context.report(refusalError({ streamId, topic }, identity, code, claim), { streamId, topic, identity });
  }

  /** One more receives the stream. */
  addDestination(destination: Destination): void {
    this.spec.destinations.add(destination, this.offset);
  }

  /** A receiver is gone. */
  noteGone(identity: string, code: StreamErrorCode): void {
    const destination = this.spec.destinations.find(identity);
    if (destination === undefined || destination.outcome !== undefined || this.#ended) return;
    this.spec.destinations.settle(destination, code, this.offset);
    this.#noteLoss(destination, code);
    this.#changed();
  }

  /** The stream goes on without one of the named: told where there are no receipts. */
  #noteLoss(destination: Destination, code: StreamErrorCode): void {
    const { destinations, confirm, description: { info: { topic } } } = this.spec;
    const goesOn = destinations.active.some(({ outcome }) => outcome === undefined);
    if (!destinations.isTargeted || confirm || !goesOn) return;
    const { streamId } = this;
    this.context.report(this.#gone(destination, code), { streamId, topic, identity: destination.identity });
  }

  /** A receiver gives no sign of life; one of another SDK never does. */
  noteSilent(identity: string): void {
    const destination = this.spec.destinations.find(identity);
    if (destination?.connection === undefined || destination.outcome !== undefined || this.#ended) return;
    this.drop(destination, "timeout");
  }

  /** No more is sent to a receiver, and it is told so. */
  drop(destination: Destination, code: StreamErrorCode): void {
    this.spec.destinations.settle(destination, code, this.offset);
    if (destination.connection !== undefined) this.#hooks.notify(this, destination);
    this.#noteLoss(destination, code);
    this.#changed();
  }

  /** Leaves out those that have kept the stream waiting too long. */
  sweepStalled(): void {
    const { clock, limits } = this.context;
    const { destinations } = this.spec;
    for (const destination of destinations.stalled(clock.now(), limits.stallTimeout)) {
      if (!destinations.isUnheard(destination)) {
        this.drop(destination, "timeout");
        continue;
      }
      destinations.settle(destination, "timeout", this.offset); // what it may yet say of itself counts for itself
      this.#changed();
    }
  }

  /** Milliseconds until there may be something to sweep. */
  untilStall(): number {
    const { clock, limits } = this.context;
    const next = this.spec.destinations.nextStall(limits.stallTimeout);
    return next === undefined ? limits.stallTimeout : Math.max(1, next - clock.now());
  }

  /** All bytes were sent: from now on receipts are waited for. */
  awaitReceipts(digest: string): void {
    const now = this.context.clock.now();
    this.#drained = true;
    this.#digest = digest;
    for (const destination of this.spec.destinations.awaited) destination.awaitReceipt(now, this.offset);
  }

  /** Whether all receivers that were to confirm have answered. */
  get confirmed(): boolean {
    return !this.spec.confirm || this.spec.destinations.awaited.length === 0;
  }

  /** Error of a stream that no receiver has whole. */
  get unconfirmed(): StreamError | undefined {
    if (!this.spec.confirm) return undefined;
    const receipts = this.spec.destinations.receipts();
    const [first] = receipts;
    if (first?.error === undefined || receipts.some(({ error }) => error === undefined)) return undefined;
    return this.#gone(this.spec.destinations.find(first.identity), first.error);
  }

  /** How the stream stands, as its receivers are told. */
  state(destination: Destination | undefined): SendingState {
    const sequence = this.spec.sequence;
    const final = destination?.final ?? this.offset;
    const leftOut = destination?.outcome !== undefined && destination.outcome !== "done" ? destination.outcome : undefined;
    if (this.#error !== undefined) {
      const reason = this.#error.reason;
      return { sequence, final, end: this.wireCode, ...(reason === undefined ? {} : { reason }) };
    }
    if (leftOut !== undefined) return { sequence, final, end: senderCode(leftOut) };
    return this.#ended || this.#drained ? { sequence, final } : { sequence };
  }

  /** Offset up to which a receiver was sent to. */
  finalFor(identity: string): number {
    return this.spec.destinations.find(identity)?.final ?? this.offset;
  }

  #changed(): void {
    this.spec.destinations.refresh(this.offset);
    const lost = this.spec.destinations.failedDestination();
    if (lost?.outcome !== undefined && lost.outcome !== "done" && !(this.#drained && this.spec.confirm)) {
      this.actor.send({ type: "destinations.lost", error: this.#gone(lost, lost.outcome) });
    } else if (this.#drained && this.confirmed) this.actor.send({ type: "receipts.settled" });
    this.#wake?.();
  }

  #gone(destination: Destination | undefined, code: StreamErrorCode): StreamError {
    const { streamId } = this;
    const identity = destination?.identity ?? "";
    const message = `Cannot send the stream as "${identity}" ${
      WHY_GONE[code] ?? `failed to take it: ${code}`
    }: stream id is "${streamId}"`;
    const reason = destination?.reason;
    return new StreamError(code, message, { streamId, identity, ...(reason === undefined ? {} : { reason }) });
  }

  /** Compression of the next segment. A queue that is half full shows a slow line, which is worth more work. */
  get preparation(): CompressionOptions | undefined {
    const { compression } = this.spec;
    return compression === undefined ? undefined : { ...compression, thorough: this.queue.isHalfFull };
  }

  /** Bytes of its next chunk, framed: a larger one costs less, but on a slow way it would be in the way of what is urgent. */
  get chunkBytes(): number {
    const { chunkSize, largestChunk } = this.context;
    if (largestChunk <= chunkSize) return chunkSize;
    return Math.min(largestChunk, Math.max(chunkSize, Math.floor(CHUNK_MS * this.spec.destinations.rate)));
  }

  /** Whether its next chunk can be on its way, or need not wait as there will be none. */
  get canSend(): boolean {
    return this.#ended || this.spec.destinations.canSend(this.context.clock.now());
  }

  /** A receiver has so many of its chunks. */
  noteArrived(identity: string, chunks: number): void {
    this.spec.destinations.find(identity)?.inFlight?.acknowledge(chunks, this.context.clock.now());
  }

  #end(settle: () => void): void {
    this.#ended = true;
    this.#finishProgress();
    if (this.spec.confirm) this.spec.description.info.receipts = this.spec.destinations.receipts();
    settle();
    this.#wake?.();
    this.context.scheduler.wake();
    this.#hooks.ended(this);
  }

  #finishProgress(): void {
    if (this.spec.onProgress !== undefined) this.#reportProgress(this.#meter.finish(this.offset, this.context.clock.now()));
  }

  #reportProgress(progress: Progress): void {
    const { streamId } = this;
    const { topic } = this.spec.description.info;
    tell(() => this.spec.onProgress?.(progress), (error) => this.context.report(error, { streamId, topic }));
  }
}

const WHY_GONE: Partial<Record<StreamErrorCode, string>> = {
  cancelled: "wants no more of it",
  disconnected: "is not here",
  refused: "does not take it",
  timeout: "made no progress",
  "too-large": "takes no stream of that size",
};
