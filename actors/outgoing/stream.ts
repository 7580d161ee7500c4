import { StreamError, type StreamErrorCode } from "../../errors.ts";
import { type Progress, ProgressMeter, ProgressTracker } from "../../protocol/progress.ts";
import { Deferred, Notifier } from "../../common/promises.ts";
import { within } from "../../common/clock.ts";
import { senderCode, type SendingState } from "../../protocol/wire/control.ts";
import type { Destination } from "../../protocol/flow/destination.ts";
import type { CompressionOptions } from "../../workers/codec.ts";
import { tell } from "../common/callbacks.ts";
import type { StreamContext } from "../common/context.ts";
import type { FlowWait, StreamWait } from "../common/stream_wait.ts";
import { type DeliveredStream, Deliveries } from "./deliveries.ts";
import type { OutgoingActor, OutgoingEffects } from "./machine.ts";
import type { OutgoingSpec } from "./plan.ts";
import { SendQueue } from "./send_queue.ts";

/** Longest transmission time of an enlarged chunk, in ms. */
const CHUNK_MS = 8;

/**
 * Bytes of segments in use above which each stream may queue only one segment. 1,000 bulk streams then stay within the memory of a few.
 */
const CROWDED_BYTES = 64 * 1024 * 1024;

/** Calls of an outgoing stream on its runtime. */
export interface StreamHooks {
  /** Starts the stream's pump. Returns the call that stops it. */
  startPump(stream: OutgoingStream): () => void;
  /** Sends a receiver the state of the stream. */
  notify(stream: OutgoingStream, destination: Destination): void;
  /** Called when the stream's header is given to the scheduler. */
  headerSent(): void;
  /** Called when flow control begins to make the stream wait, for a receiver if there is one alone. */
  blocked(stream: OutgoingStream, wait: FlowWait, identity: string | undefined): void;
  /** Called when the stream has ended. */
  ended(stream: OutgoingStream): void;
}

/** An outgoing stream: effects of its actor, and state shared by actor, pump and writer. */
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
  /** Resolves when the pump has ended, and with it all sending. */
  pumped: Promise<void> = Promise.resolve();
  /** Time of the stream's start, in ms. */
  readonly startedAt: number;
  /** Cause of the pump's present or last wait. */
  waitsFor: StreamWait = "transport";
  /** Set by the runtime right after construction. */
  actor!: OutgoingActor;
  readonly #meter: ProgressMeter;
  readonly #hooks: StreamHooks;
  readonly #opened = new Deferred();
  readonly #settled = new Deferred();
  /** Wakes the pump: a receiver's state has changed, or the stream has ended. */
  readonly #receivers = new Notifier();
  #stopPump: (() => void) | undefined;
  /** End of the stream; undefined while the stream continues. */
  #end: { readonly error: StreamError | undefined } | undefined;

  constructor(spec: OutgoingSpec, context: StreamContext, hooks: StreamHooks) {
    this.spec = spec;
    this.context = context;
    this.#hooks = hooks;
    // Each urgent write waits until the one before has gone: bytes that are due now must not queue here.
    this.queue = new SendQueue(() => spec.urgent || context.codec.segments.inUse > CROWDED_BYTES);
    this.tracker = new ProgressTracker(spec.totalSize ?? 0);
    this.startedAt = context.clock.now();
    this.#meter = new ProgressMeter(spec.totalSize, this.startedAt);
    this.deliveries = new Deliveries(spec, context, this);
    this.opened.catch(() => {}); // callers need not await these
    this.settled.catch(() => {});
  }

  get streamId(): string {
    return this.spec.description.info.streamId;
  }

  /** Resolves when the header was sent or is held; rejects if the stream failed before. */
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

  start(): void {
    this.#stopPump = this.#hooks.startPump(this);
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

  awaitStall(): void {
    this.actor.setDeadline(this.deliveries.untilStall());
  }

  /** Completes the stream: entry action of "closed". */
  complete(): void {
    if (!this.ended) this.#finish(undefined);
  }

  /** Fails the stream unless the stream has ended, as its actor has stopped. */
  stopped(): void {
    if (this.ended) return;
    const { streamId } = this;
    const message = `Cannot go on with the stream as its actor was stopped: stream id is "${streamId}"`;
    this.fail(new StreamError("aborted", message, { streamId }));
  }

  /** Fails the stream: entry action of "failed". */
  fail(error: StreamError): void {
    if (this.ended) return;
    this.spec.destinations.finish(this.offset);
    this.#finish(error);
  }

  /** Notes that the header is given to the scheduler. */
  noteHeaderSent(): void {
    this.#hooks.headerSent();
  }

  /** Notes that sending the header has resolved, or that the header is held. */
  noteOpened(): void {
    this.#opened.resolve();
  }

  /** Counts a sent chunk of `bytes` plain bytes. */
  noteSent(bytes: number): void {
    this.offset += bytes;
    this.chunks++;
    this.tracker.update(bytes);
    if (this.spec.onProgress === undefined) return;
    const progress = this.#meter.note(this.offset, this.context.clock.now());
    if (progress !== undefined) this.#reportProgress(progress);
  }

  /** Notes that flow control makes the stream wait. */
  noteBlocked(wait: FlowWait, identity?: string): void {
    if (this.waitsFor === wait) return;
    this.waitsFor = wait;
    this.#hooks.blocked(this, wait, identity);
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

  /** Waits until a receiver's state changes, `ms` milliseconds at most. */
  async receiversChanged(ms: number): Promise<void> {
    if (this.ended) return;
    await (ms === Infinity ? this.#receivers.wait() : within(ms, this.#receivers.wait(), this.context.clock));
  }

  /** Wakes the pump, as a receiver's state or credit has changed. */
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

  /** Offset up to which bytes were sent to a receiver. */
  finalFor(identity: string): number {
    return this.spec.destinations.find(identity)?.final ?? this.offset;
  }

  /** Compression options of the next segment. A queue over half full indicates a slow link, where thorough compression pays. */
  get compressionOptions(): CompressionOptions | undefined {
    const { compression } = this.spec;
    return compression === undefined ? undefined : { ...compression, thorough: this.queue.isHalfFull };
  }

  /** Size of the next chunk of a bulk frame, in bytes. A larger chunk costs less, but delays urgent packets on a slow link. */
  get chunkBytes(): number {
    const { chunkSize, largestChunk } = this.context;
    if (largestChunk <= chunkSize) return chunkSize;
    return Math.min(largestChunk, Math.max(chunkSize, Math.floor(CHUNK_MS * this.spec.destinations.rate)));
  }

  /** Whether congestion control allows the next chunk; also true after the end, so that waiting chunks leave the scheduler. */
  get canSend(): boolean {
    return this.ended || this.spec.destinations.canSend(this.context.clock.now());
  }

  #finish(error: StreamError | undefined): void {
    this.#end = { error };
    this.#stopPump?.();
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
