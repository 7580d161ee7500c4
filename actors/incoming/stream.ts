import { StreamError, type StreamErrorCode } from "../../errors.ts";
import { ProgressTracker } from "../../protocol/progress.ts";
import { textBytes } from "../../protocol/memory_account.ts";
import { Deferred, Notifier } from "../../common/promises.ts";
import { type Claim, receiverCode, type ReceivingState } from "../../protocol/wire/control.ts";
import type { HeaderExtension } from "../../protocol/wire/extension.ts";
import { isBulk, type OpenedStream, promisedSize, type StreamDescription } from "../../protocol/wire/header.ts";
import type { StreamContext } from "../common/context.ts";
import { Completion } from "./completion.ts";
import { ContentCheck } from "./content_check.ts";
import type { IncomingContext } from "./context.ts";
import type { Fault } from "./fault.ts";
import type { IncomingActor, IncomingEffects } from "./machine.ts";
import type { ReceivedBlock } from "./block_queue.ts";
import type { ChunkContent } from "./receive_buffer.ts";
import { ReceivedContent, type ReceivingStream } from "./received_content.ts";
import { readTrailer, type ReceivedTrailer, type Trailer } from "./trailer.ts";
import { UNREAD, UnreadWatch } from "./unread_watch.ts";

/** An incoming stream: effects of its actor, and state shared by packets, reader and actor. */
export class IncomingStream implements IncomingEffects, ReceivingStream {
  readonly from: string;
  readonly description: StreamDescription;
  /** Undefined for a stream of another SDK. */
  readonly extension: HeaderExtension | undefined;
  /** Sender's identity for handlers. */
  readonly senderIdentity: string;
  /** Whether chunks are acknowledged. */
  readonly acknowledged: boolean;
  readonly tracker: ProgressTracker;
  /** Time of the header's arrival, in ms. */
  readonly startedAt: number;
  readonly unread: UnreadWatch;
  readonly content: ReceivedContent;
  actor!: IncomingActor;
  readonly #context: IncomingContext;
  readonly #completion: Completion;
  readonly #check: ContentCheck;
  readonly #closed = new Deferred<Trailer>();
  /** Wakes the reader: content has arrived, or the stream has ended. */
  readonly #arrivals = new Notifier();
  #claim: Claim = "unclaimed";
  /** End of the stream; undefined while the stream continues. */
  #end: { readonly error: StreamError | undefined } | undefined;
  /** Whether the runtime refused the stream; the runtime then reports the refusal. */
  #isRefused = false;

  constructor(from: string, opened: OpenedStream, context: IncomingContext) {
    const { limits, scheduler } = context.stream;
    this.from = from;
    this.description = opened.description;
    this.extension = opened.extension;
    this.senderIdentity = opened.senderIdentity ?? from;
    this.#context = context;
    this.acknowledged = opened.extension !== undefined && scheduler.isPaced &&
      isBulk(opened.description, opened.extension);
    this.tracker = new ProgressTracker(opened.description.info.size ?? 0);
    this.unread = new UnreadWatch(context.stream.deadlines, limits.unreadTimeout, () => {
      this.actor.send({ type: "cancel.requested", error: this.failure("cancelled", UNREAD, UNREAD) });
    });
    this.#check = new ContentCheck(opened.extension !== undefined);
    this.content = new ReceivedContent(this, opened, context, this.#check);
    this.#completion = new Completion(from, this.isMillrace, this.content, context.stream);
    this.startedAt = this.#completion.startedAt;
    this.closed.catch(() => {}); // a reader may ignore it
  }

  /** Resolves with the trailer once all content was consumed and checked; rejects with the stream's error. */
  get closed(): Promise<Trailer> {
    return this.#closed.promise;
  }

  get streamId(): string {
    return this.description.info.streamId;
  }

  get topic(): string {
    return this.description.info.topic;
  }

  /** Whether the sender is a Millrace runtime. */
  get isMillrace(): boolean {
    return this.extension !== undefined;
  }

  get isClaimed(): boolean {
    return this.#claim === "claimed";
  }

  get context(): StreamContext {
    return this.#context.stream;
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  get error(): StreamError | undefined {
    return this.#end?.error;
  }

  /** Whether every sent chunk has arrived. */
  get cameWhole(): boolean {
    return this.#completion.isWhole;
  }

  /** Whether every sent chunk has arrived and is parsed. */
  get complete(): boolean {
    return this.cameWhole && !this.content.isBehind;
  }

  /** Keeps the stream out of an inspector's view of its actor's context. */
  toJSON(): undefined {
    return undefined;
  }

  /** Claims the stream for a handler, and raises the sender's limit. */
  claimed(window: number | undefined): void {
    this.#claim = "claimed";
    this.content.grant(window);
    this.#context.widened();
    if (this.isMillrace) this.#context.notify();
    if (this.content.isDiscarding) this.#break({ code: "incomplete", why: "its handler came when bytes had gone by" });
  }

  /** Notes a sign of life of the sender. */
  heard(): void {
    this.#completion.heard();
  }

  awaitHandler(): void {
    this.actor.setDeadline(this.context.limits.unclaimedTimeout);
  }

  awaitSilence(): void {
    this.actor.setDeadline(this.#completion.untilSilent());
  }

  silence(): StreamError | undefined {
    const fault = this.#completion.silenceFault();
    return fault && this.#errorOf(fault);
  }

  /** Takes a chunk from the network, or a frame within the process. */
  chunk(index: number, content: ChunkContent): void {
    if (this.ended) return;
    this.heard();
    const { chunks = Infinity } = this.#completion.trailer?.extension ?? {};
    const isExcess = index >= chunks;
    const fault = isExcess
      ? { code: "corrupt", why: `chunk ${index} came after the last` } as const
      : this.content.place(index, content);
    if (fault !== undefined) this.#break(fault);
    else if (this.content.isReadable || this.complete) this.#arrivals.notify();
  }

  parsedLater(fault: Fault | undefined): void {
    if (fault !== undefined) this.#break(fault);
    else this.#arrivals.notify();
  }

  /** Takes a trailer from the network. */
  trailer(reason: string, rawAttributes: Readonly<Record<string, string>>): void {
    if (this.ended || this.#completion.trailer !== undefined) return;
    this.heard();
    const trailer = readTrailer(reason, rawAttributes, this.isMillrace);
    if (trailer === undefined) return this.#break({ code: "corrupt", why: "its trailer cannot be read" });
    const fault = this.content.reserve(textBytes({ reason, ...trailer.attributes }));
    if (fault !== undefined) this.#break(fault);
    else this.noteTrailer(trailer);
  }

  /** Notes the trailer, and starts the wait for missing chunks. */
  noteTrailer(trailer: ReceivedTrailer): void {
    const fault = this.#completion.noteTrailer(trailer);
    if (fault !== undefined) return this.#break(fault);
    this.#noteGap();
    this.actor.send({ type: "trailer.received" });
    this.#arrivals.notify();
  }

  /** Notes that the sender has ended the stream. The trailer may be lost, or still arrive. */
  noteFinal(code: StreamErrorCode | undefined, reason: string | undefined): void {
    if (this.ended || this.cameWhole) return;
    if (code === undefined) this.#noteGap();
    // A broadcast goes on without this receiver, whose handler may be registered later.
    else if (code === "incomplete" && !this.isClaimed) this.content.discard();
    else this.#break({ code, why: `"${this.from}" gave it up`, ...(reason === undefined ? {} : { reason }) });
  }

  /** Notes that the sender has left. A whole stream can still be read. */
  senderGone(): void {
    if (this.ended) return;
    const { abortFault } = this.#completion;
    if (abortFault !== undefined) this.#break(abortFault);
    else if (!this.cameWhole) this.#break({ code: "disconnected", why: `"${this.from}" left` });
  }

  /** Ends the stream on behalf of the runtime, which reports the fault. */
  refuse(fault: Fault, isHandled: boolean = this.isClaimed): void {
    this.#isRefused = true;
    this.#claim = isHandled ? "claimed" : "unclaimed";
    this.#break(fault);
  }

  /** Resolves when there may be a block to poll, or the stream has ended. */
  async arrival(): Promise<void> {
    if (!this.content.isReadable && !this.ended && !this.complete) await this.#arrivals.wait();
  }

  /** Frees a block that the reader has consumed and checked. */
  consume(block: ReceivedBlock): void {
    if (this.extension?.format === "plain") this.#check.update(block.memory);
    this.tracker.update(block.length);
    this.content.consume(block);
    if (this.complete) this.heard(); // the rest of an aborted stream is kept for as long as its reader goes on
    if (this.ended || !this.isMillrace) return;
    if (this.content.adaptWindow(this.#context.spareWindow())) this.#context.widened();
    this.#context.consumed();
    if (!this.content.isUpdateDue) return;
    this.content.grant();
    this.#context.notify();
  }

  /** Throws unless the stream is whole, after its last block was consumed. */
  check(): void {
    const { endFault, trailer } = this.#completion;
    const fault = endFault ?? this.#check.findFault(this.content.consumed, promisedSize(this), trailer?.extension);
    if (fault !== undefined) throw this.#errorOf(fault);
  }

  /** Closes the stream: entry action of "closed". */
  close(): void {
    if (this.ended) return;
    this.#finish(undefined);
    const { reason = "", attributes = {} } = this.#completion.trailer ?? {};
    this.#closed.resolve({ reason, attributes });
    if (this.extension?.confirm === true) this.#context.notify();
  }

  /** Fails the stream unless the stream has ended, as its actor has stopped. */
  stopped(): void {
    if (!this.ended) this.fail(this.failure("cancelled", "its actor was stopped"));
  }

  /** Fails the stream: entry action of "failed". */
  fail(error: StreamError): void {
    if (this.ended) return;
    this.#finish(error);
    this.#closed.reject(error);
    if (!this.isMillrace) return;
    this.#context.notify();
    const isUnhandled = error.code === "refused" && !this.isClaimed && !this.#isRefused;
    if (isUnhandled && this.extension?.named === true) this.#context.unhandled();
  }

  /** Settles the credit of an ended stream that was sent up to an offset. */
  release(final: number): void {
    this.content.release(final);
  }

  /** State of the stream for its sender. */
  state(): ReceivingState {
    const { received, consumed, advertisedLimit } = this.content;
    const base = {
      sequence: this.extension?.sequence ?? 0,
      claim: this.#claim,
      credit: advertisedLimit,
      received: Math.max(received, consumed),
      taken: consumed,
    };
    if (!this.ended) return base;
    if (this.error === undefined) {
      const { digest } = this.#check;
      return { ...base, end: "done", ...(digest === undefined ? {} : { digest }) };
    }
    const { code, reason } = this.error;
    // "aborted" means an abort by the sender; here it was a consumer's signal.
    return { ...base, end: receiverCode(code), ...(reason === undefined ? {} : { reason }) };
  }

  failure(code: StreamErrorCode, why: string, reason?: string): StreamError {
    const { streamId, from: identity } = this;
    const message = `Cannot receive the stream as ${why}: stream id is "${streamId}"`;
    return new StreamError(code, message, { streamId, identity, ...(reason === undefined || reason === "" ? {} : { reason }) });
  }

  #errorOf({ code, why, reason }: Fault): StreamError {
    return this.failure(code, why, reason);
  }

  /** Starts the wait for missing chunks. */
  #noteGap(): void {
    if (this.#completion.noteGap()) this.actor.send({ type: "gap.found" });
  }

  #break(fault: Fault): void {
    this.actor.send({ type: "stream.broken", error: this.#errorOf(fault) });
  }

  #finish(error: StreamError | undefined): void {
    this.#end = { error };
    this.unread.end();
    this.content.end();
    const sent = this.#completion.trailer?.extension?.bytes;
    if (sent !== undefined) this.release(sent);
    this.#arrivals.notify();
    this.#context.ended();
  }
}
