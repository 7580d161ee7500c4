import type { StreamError, StreamErrorCode } from "../../errors.ts";
import { type Progress, ProgressMeter, ProgressTracker } from "../../protocol/progress.ts";
import { Deferred, Notifier } from "../../common/promises.ts";
import { within } from "../../common/clock.ts";
import { senderCode, type SendingState } from "../../protocol/wire/control.ts";
import type { Destination } from "../../protocol/flow/destination.ts";
import type { CompressionOptions } from "../../workers/codec.ts";
import { tell } from "../common/callbacks.ts";
import type { StreamContext } from "../common/context.ts";
import { type DeliveredStream, Deliveries } from "./deliveries.ts";
import type { OutgoingActor, OutgoingEffects, OutgoingEvent } from "./machine.ts";
import type { OutgoingSpec } from "./plan.ts";
import { SendQueue } from "./send_queue.ts";

/** Longest transmission time of an enlarged chunk, in ms. */
const CHUNK_MS = 8;

/** Above this many bytes of segments in use, each stream may queue only one, so that 1,000 bulk streams need the memory of a few. */
const CROWDED_BYTES = 64 * 1024 * 1024;

/** Calls of an outgoing stream on its runtime. */
export interface StreamHooks {
  /** Starts the stream's pump. Returns the call that stops it. */
  start(stream: OutgoingStream, report: (event: OutgoingEvent) => void): () => void;
  /** Sends a receiver the state of the stream. */
  notify(stream: OutgoingStream, destination: Destination): void;
  /** The stream's header was given to the transport. */
  headerSent(): void;
  /** The stream has ended. */
  ended(stream: OutgoingStream): void;
}

/** An outgoing stream: effects of its actor, and the place where actor, pump and writer meet. */
export class OutgoingStream implements OutgoingEffects, DeliveredStream {
  readonly spec: OutgoingSpec;
  readonly context: StreamContext;
  readonly queue: SendQueue;
  readonly tracker: ProgressTracker;
  readonly deliveries: Deliveries;
  /** Plain bytes given to the transport. */
  offset = 0;
  /** Chunks given to the transport. */
  chunks = 0;
  /** Resolves when the pump has ended: nothing more of the stream will be sent. */
  pumped: Promise<void> = Promise.resolve();
  /** Set by the runtime as soon as there is one. */
  actor!: OutgoingActor;
  readonly #meter: ProgressMeter;
  readonly #hooks: StreamHooks;
  readonly #opened = new Deferred();
  readonly #settled = new Deferred();
  /** Wakes the pump: a receiver's state has changed, or the stream has ended. */
  readonly #receivers = new Notifier();
  /** End of the stream; undefined while it goes on. */
  #end: { readonly error: StreamError | undefined } | undefined;

  constructor(spec: OutgoingSpec, context: StreamContext, hooks: StreamHooks) {
    this.spec = spec;
    this.context = context;
    this.#hooks = hooks;
    this.queue = new SendQueue(() => context.codec.segments.inUse > CROWDED_BYTES);
    this.tracker = new ProgressTracker(spec.totalSize ?? 0);
    this.#meter = new ProgressMeter(spec.totalSize, context.clock.now());
    this.deliveries = new Deliveries(spec, context, this);
    this.opened.catch(() => {}); // callers need not await these
    this.settled.catch(() => {});
  }

  get streamId(): string {
    return this.spec.description.info.streamId;
  }

  /** Resolves when the header was sent; rejects if the stream failed before. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Resolves when the stream has closed; rejects with the error that it failed with. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** Error that the stream failed with. */
  get error(): StreamError | undefined {
    return this.#end?.error;
  }

  get framed(): boolean {
    return this.spec.extension?.format === "framed";
  }

  /** Code of a failure on the wire. */
  get wireCode(): StreamErrorCode {
    return senderCode(this.error?.code ?? "aborted");
  }

  /** Keeps the stream out of an inspector's view of its actor's context. */
  toJSON(): undefined {
    return undefined;
  }

  start(report: (event: OutgoingEvent) => void): () => void {
    return this.#hooks.start(this, report);
  }

  get confirmed(): boolean {
    return this.deliveries.confirmed;
  }

  get unconfirmed(): StreamError | undefined {
    return this.deliveries.unconfirmed;
  }

  sweepStalled(): void {
    this.deliveries.sweepStalled();
  }

  untilStall(): number {
    return this.deliveries.untilStall();
  }

  /** Entered by its actor: all was sent, and confirmed if that was asked for. */
  complete(): void {
    if (!this.ended) this.#finish(undefined);
  }

  /** Entered by its actor, or when that was stopped: the stream ends before it is whole. */
  fail(error: StreamError): void {
    if (this.ended) return;
    this.spec.destinations.finish(this.offset);
    this.#finish(error);
  }

  /** The header was given to the transport. */
  noteHeaderSent(): void {
    this.#hooks.headerSent();
  }

  /** A send of the header has resolved, or the header is held. */
  noteOpened(): void {
    this.#opened.resolve();
  }

  /** A chunk of that many plain bytes was given to the transport. */
  noteSent(bytes: number): void {
    this.offset += bytes;
    this.chunks++;
    this.tracker.update(bytes);
    if (this.spec.onProgress === undefined) return;
    const progress = this.#meter.note(this.offset, this.context.clock.now());
    if (progress !== undefined) this.#reportProgress(progress);
  }

  notifyReceiver(destination: Destination): void {
    this.#hooks.notify(this, destination);
  }

  loseReceivers(error: StreamError): void {
    this.actor.send({ type: "destinations.lost", error });
  }

  settleReceipts(): void {
    this.actor.send({ type: "receipts.settled" });
  }

  /** Waits for news of a receiver, or for `ms` milliseconds. */
  async receiversChanged(ms: number): Promise<void> {
    if (this.ended) return;
    await (ms === Infinity ? this.#receivers.wait() : within(ms, this.#receivers.wait(), this.context.clock));
  }

  /** Credit was raised, for this stream or for all. */
  unblock(): void {
    this.#receivers.notify();
  }

  /** State of the stream for a receiver. */
  state(destination: Destination | undefined): SendingState {
    const { sequence } = this.spec;
    const { error } = this;
    if (error !== undefined) {
      const { reason } = error;
      const final = destination?.final ?? this.offset;
      return { sequence, final, end: this.wireCode, ...(reason === undefined ? {} : { reason }) };
    }
    return { sequence, ...this.deliveries.endFor(destination) };
  }

  /** Offset up to which a receiver was sent to. */
  finalFor(identity: string): number {
    return this.spec.destinations.find(identity)?.final ?? this.offset;
  }

  /** Options of the next segment's compression. A queue that is half full shows a slow line, which is worth more work. */
  get compressionOptions(): CompressionOptions | undefined {
    const { compression } = this.spec;
    return compression === undefined ? undefined : { ...compression, thorough: this.queue.isHalfFull };
  }

  /** Bytes of the next framed chunk: a larger one costs less, but on a slow line would delay urgent packets. */
  get chunkBytes(): number {
    const { chunkSize, largestChunk } = this.context;
    if (largestChunk <= chunkSize) return chunkSize;
    return Math.min(largestChunk, Math.max(chunkSize, Math.floor(CHUNK_MS * this.spec.destinations.rate)));
  }

  /** Whether the next chunk can be sent; true also after the end, when there will be none. */
  get canSend(): boolean {
    return this.ended || this.spec.destinations.canSend(this.context.clock.now());
  }

  #finish(error: StreamError | undefined): void {
    this.#end = { error };
    this.deliveries.end();
    if (this.spec.onProgress !== undefined) this.#reportProgress(this.#meter.finish(this.offset, this.context.clock.now()));
    if (this.spec.confirm) this.spec.description.info.receipts = this.spec.destinations.receipts();
    if (error === undefined) {
      this.#opened.resolve();
      this.#settled.resolve();
    } else {
      this.queue.fail(error);
      this.#opened.reject(error);
      this.#settled.reject(error);
    }
    this.#receivers.notify();
    this.context.scheduler.wake();
    this.#hooks.ended(this);
  }

  #reportProgress(progress: Progress): void {
    const { streamId, topic } = this.spec.description.info;
    tell(() => this.spec.onProgress?.(progress), (error) => this.context.report(error, { streamId, topic }));
  }
}
