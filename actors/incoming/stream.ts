import { StreamError, type StreamErrorCode } from "../../errors.ts";
import { type Claim, receiverCode, type ReceivingState } from "../../protocol/wire/control.ts";
import { type HeaderExtension, isBulk, type OpenedStream, type StreamDescription } from "../../protocol/wire/header.ts";
import { StreamMemory, textBytes } from "../../protocol/memory_account.ts";
import { ProgressTracker } from "../../protocol/progress.ts";
import { ContentCheck } from "./content_check.ts";
import { ReceiveWindow } from "./receive_window.ts";
import { ReceiveBuffer, type ReceivedBlock } from "./receive_buffer.ts";
import type { StreamContext } from "../common/context.ts";
import { abortReasonOf, readTrailer, type ReceivedTrailer, type Trailer } from "./trailer.ts";
import type { IncomingActor, IncomingEffects } from "./machine.ts";
import type { IncomingContext } from "./context.ts";
import { Silence } from "./silence.ts";
import { UNREAD, UnreadWatch } from "./unread_watch.ts";

/** State of an incoming stream beside its machine's. Packets come to it, readers take from it, its actor decides. */
export class IncomingStream implements IncomingEffects {
  readonly from: string;
  readonly description: StreamDescription;
  readonly extension: HeaderExtension | undefined;
  /** Sender's identity as handlers see it. */
  readonly senderIdentity: string;
  /** The sender is told of its chunks as they come. */
  readonly acknowledged: boolean;
  readonly tracker: ProgressTracker;
  readonly unread: UnreadWatch;
  /** Resolves with the trailer when all was taken and checked; rejects with what the stream failed with. */
  readonly closed: Promise<Trailer>;
  actor!: IncomingActor;
  claimState: Claim = "unclaimed";
  /** Plain bytes that the reader has taken. */
  taken = 0;
  readonly #context: IncomingContext;
  readonly #memory: StreamMemory;
  readonly #buffer: ReceiveBuffer;
  readonly #receiveWindow: ReceiveWindow;
  readonly #silence: Silence;
  readonly #content: ContentCheck;
  /** Bytes were dropped, as nobody had claimed the stream. */
  #missed = false;
  /** It was ended by its runtime, which tells of that itself. */
  #isRefused = false;
  #trailer: ReceivedTrailer | undefined;
  #error: StreamError | undefined;
  #ended = false;
  /** Its sender has said how far it was sent. */
  #released = false;
  #wake: (() => void) | undefined;
  /** Bytes that have come, as far as they count: fixed when they begin to go by. */
  #came: number | undefined;
  #resolveClosed!: (trailer: Trailer) => void;
  #rejectClosed!: (error: StreamError) => void;

  constructor(from: string, opened: OpenedStream, context: IncomingContext) {
    this.from = from;
    this.description = opened.description;
    this.extension = opened.extension;
    this.senderIdentity = opened.senderIdentity ?? from;
    this.#context = context;
    this.acknowledged = opened.extension !== undefined && context.stream.scheduler.isPaced &&
      isBulk(opened.description, opened.extension.format);
    this.tracker = new ProgressTracker(opened.description.info.size ?? 0);
    const { clock, limits } = context.stream;
    this.#receiveWindow = new ReceiveWindow(
      limits.receiveWindow,
      opened.extension === undefined ? undefined : context.shared,
      clock,
    );
    this.unread = new UnreadWatch(clock, limits.unreadTimeout, () => {
      this.actor.send({ type: "cancel.requested", error: this.failure("cancelled", UNREAD, UNREAD) });
    });
    this.#silence = new Silence(clock);
    this.#content = new ContentCheck(opened.extension !== undefined);
    this.#memory = new StreamMemory(context.memory);
    this.#buffer = new ReceiveBuffer(opened.extension?.format === "framed", context.stream.codec.segments, this.#memory, {
      admit: (to) => this.#admit(to),
      framed: (digest) => this.#content.update(digest),
      corrupt: (why) => this.#break("corrupt", why),
      caughtUp: () => this.#wake?.(),
      crowded: () => this.#crowd(),
    });
    this.closed = new Promise((resolve, reject) => {
      this.#resolveClosed = resolve;
      this.#rejectClosed = reject;
    });
    this.closed.catch(() => {}); // a reader need not look at it
  }

  get streamId(): string {
    return this.description.info.streamId;
  }

  get topic(): string {
    return this.description.info.topic;
  }

  /** Keeps the stream out of what an inspector serialises of its actor's context. */
  toJSON(): undefined {
    return undefined;
  }

  get unclaimedTimeout(): number {
    return this.context.limits.unclaimedTimeout;
  }

  get context(): StreamContext {
    return this.#context.stream;
  }

  get error(): StreamError | undefined {
    return this.#error;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Bytes the stream may keep waiting here. */
  get window(): number {
    return this.#receiveWindow.window;
  }

  /** Plain bytes that have come, without a gap. */
  get received(): number {
    return this.#buffer.received;
  }

  /** Chunks that have come, without a gap. */
  get chunks(): number {
    return this.#buffer.next;
  }

  /** Bytes of memory that it was charged. */
  get charged(): number {
    return this.#memory.held;
  }

  /** Bytes that wait for the reader. */
  get held(): number {
    return this.received - this.taken + this.#buffer.heldBytes;
  }

  /** Everything the sender sent is here, and dealt with as far as its frames go. */
  get complete(): boolean {
    return this.cameWhole && !this.#buffer.behind;
  }

  /** Everything the sender sent is here. */
  get cameWhole(): boolean {
    if (this.#trailer === undefined) return false;
    const { extension } = this.#trailer;
    return extension === undefined ? !this.#buffer.gap : this.#buffer.next >= extension.chunks;
  }

  /** A handler was found: bytes that wait are its, and the sender may go on. */
  claimed(window: number | undefined): void {
    this.claimState = "claimed";
    this.#receiveWindow.grant(this.taken, window);
    this.#context.widened();
    if (this.extension !== undefined) this.#context.notify();
    if (this.#missed) this.#break("incomplete", "its handler came when bytes had gone by");
  }

  /** A sign of life of the sender. */
  heard(): void {
    this.#silence.heard();
  }

  /** Milliseconds until the silence has lasted too long. */
  untilSilent(): number {
    if (this.cameWhole && this.#givenUp === undefined) return Infinity;
    const { idleTimeout, foreignIdleTimeout } = this.context.limits;
    const limit = this.extension === undefined ? foreignIdleTimeout : idleTimeout;
    return this.#silence.left(limit);
  }

  /** Error of a silence that has lasted too long. */
  silence(): StreamError | undefined {
    if (this.untilSilent() > 0) return undefined;
    if (this.cameWhole || this.#givenUp !== undefined) return this.#givenUp; // what came before its end was left unread for as long
    if (this.#trailer !== undefined || this.#silence.hasGap || this.#buffer.gap) {
      return this.failure("incomplete", `chunk ${this.#buffer.next} did not come`);
    }
    return this.failure("timeout", `nothing was heard of "${this.from}" any more`);
  }

  chunk(index: number, content: Uint8Array): void {
    if (this.#ended) return;
    this.heard();
    const extension = this.#trailer?.extension;
    if (extension !== undefined && index >= extension.chunks) return this.#break("corrupt", `chunk ${index} came after the last`);
    const placed = this.#buffer.place(index, content, this.#receiveWindow.window);
    if (placed === "corrupt") this.#break("corrupt", `chunk ${index} is not what was due`);
    else if (placed === "too-far") this.#break("refused", `chunk ${index} is beyond the credit`);
    else if (this.#buffer.waiting || this.complete) this.#wake?.();
  }

  trailer(reason: string, rawAttributes: Readonly<Record<string, string>>): void {
    if (this.#ended || this.#trailer !== undefined) return;
    this.heard();
    const ending = readTrailer(reason, rawAttributes, this.extension !== undefined);
    if (ending === undefined) this.#break("corrupt", "its trailer cannot be read");
    else if (!this.keeps(textBytes({ reason, ...ending.attributes }))) this.#crowd();
    else this.end(ending);
  }

  /** Its sender has sent all of it. */
  end(ending: ReceivedTrailer): void {
    const { chunks = Infinity } = ending.extension ?? {};
    if (chunks < this.#buffer.next) return this.#break("corrupt", "more chunks came than were sent");
    this.#trailer = ending;
    if (!this.cameWhole && this.#silence.noteGap()) this.actor.send({ type: "gap.found" });
    this.actor.send({ type: "trailer.received" });
    this.#wake?.();
  }

  /** The sender says that it has ended the stream; its trailer may be lost, or on the way. */
  noteFinal(code: StreamErrorCode | undefined, reason: string | undefined): void {
    if (this.#ended || this.cameWhole) return;
    if (code === undefined) {
      if (this.#silence.noteGap()) this.actor.send({ type: "gap.found" });
    } else if (code === "incomplete" && this.claimState !== "claimed") this.#miss(); // left out, as nobody had claimed it: a handler may come yet
    else this.#fail(this.failure(code, `"${this.from}" gave it up`, reason));
  }

  /** The sender is gone. What has come whole can still be read. */
  senderGone(): void {
    if (this.#ended) return;
    const givenUp = this.#givenUp;
    if (givenUp !== undefined) this.#fail(givenUp);
    else if (!this.cameWhole) this.#break("disconnected", `"${this.from}" left`);
  }

  /** It is over the limits, before a byte of it has come. */
  refuse(code: StreamErrorCode, why: string): void {
    this.#isRefused = true;
    this.#break(code, why);
  }

  /** The next bytes, if any have come. */
  poll(): ReceivedBlock | undefined {
    return this.#buffer.poll();
  }

  /** Resolves when there may be more to poll, or the stream has ended. */
  async arrival(): Promise<void> {
    if (this.#buffer.waiting || this.#ended || this.complete) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }

  /** A block was taken by the reader, checked. */
  took(block: ReceivedBlock): void {
    if (this.extension?.format === "plain") this.#content.update(block.memory);
    const from = this.taken;
    this.taken += block.length;
    this.tracker.update(block.length);
    this.drop(block);
    if (this.complete) this.heard(); // what is left of a stream that was given up is kept for as long as it is read
    if (this.#ended || this.extension === undefined) return;
    this.#receiveWindow.consume(from, this.taken);
    this.#context.consumed();
    if (!this.#receiveWindow.shouldUpdate(this.taken)) return;
    this.#receiveWindow.grant(this.taken);
    this.#context.notify();
  }

  /** Gives back the memory of a block. */
  drop(block: ReceivedBlock): void {
    this.#buffer.drop(block);
  }

  /** After the last block was taken: throws unless the stream is whole. */
  check(): void {
    const trailer = this.#trailer;
    if (trailer === undefined) throw this.failure("incomplete", "its trailer did not come");
    if (this.#givenUp !== undefined) throw this.#givenUp;
    if (this.#buffer.broken) throw this.failure("incomplete", "its last frame is not whole");
    const fault = this.#content.findFault(this.taken, this.description.info.size, trailer.extension);
    if (fault !== undefined) throw this.failure(fault.code, fault.why);
  }

  /** Entered by its actor when all was consumed and checked. */
  close(): void {
    if (this.#ended) return;
    this.#end();
    const { reason = "", attributes = {} } = this.#trailer ?? {};
    this.#resolveClosed({ reason, attributes });
    if (this.extension?.confirm === true) this.#context.notify();
  }

  /** Entered by its actor, or when that was stopped. */
  fail(error: StreamError): void {
    if (this.#ended) return;
    this.#error = error;
    this.#end();
    this.#rejectClosed(error);
    if (this.extension === undefined) return;
    this.#context.notify();
    const isUnhandled = error.code === "refused" && this.claimState !== "claimed" && !this.#isRefused;
    if (isUnhandled && this.extension.named === true) this.#context.unhandled();
  }

  /** After the end: the sender says how far it had sent. What never came is not waited for. */
  release(final: number): void {
    if (this.#released) return;
    this.#released = true;
    this.#buffer.received = this.#receiveWindow.release(final, this.#came ?? this.received);
  }

  /** How the stream stands, as its sender is told. */
  state(): ReceivingState {
    const { claimState: claim, received, taken } = this;
    const base = {
      sequence: this.extension?.sequence ?? 0,
      claim,
      credit: this.#receiveWindow.advertisedLimit,
      received: Math.max(received, taken),
      taken,
    };
    if (!this.#ended) return base;
    if (this.#error === undefined) {
      const { digest } = this.#content;
      return { ...base, end: "done", ...(digest === undefined ? {} : { digest }) };
    }
    const { code, reason } = this.#error;
    // "aborted" is what a sender does: here it was a signal given to a consumer.
    return { ...base, end: receiverCode(code), ...(reason === undefined ? {} : { reason }) };
  }

  /** Error of a sender that ended the stream before it was whole. */
  get #givenUp(): StreamError | undefined {
    const found = this.#trailer && abortReasonOf(this.#trailer, this.extension !== undefined);
    return found && this.failure(found.code, `"${this.from}" gave it up`, found.reason);
  }

  failure(code: StreamErrorCode, why: string, reason?: string): StreamError {
    const { streamId, from: identity } = this;
    const message = `Cannot receive the stream as ${why}: stream id is "${streamId}"`;
    return new StreamError(code, message, { streamId, identity, ...(reason === undefined || reason === "" ? {} : { reason }) });
  }

  /** Checks bytes up to an offset against the limits, and uses up credit for them; false if they are not to be kept. */
  #admit(to: number): boolean {
    const refuse = (code: StreamErrorCode, why: string): false => {
      this.#break(code, why);
      return false;
    };
    const { limits } = this.context;
    const { size } = this.description.info;
    if (to > limits.streamBytes) return refuse("too-large", `it is longer than ${limits.streamBytes} bytes`);
    if (size !== undefined && to > size) return refuse("too-large", `it is longer than the ${size} bytes announced`);
    if (this.extension === undefined) {
      const fits = to - this.taken <= limits.foreignQueue;
      return fits || refuse("too-large", `its reader has left more than ${limits.foreignQueue} bytes unread`);
    }
    if (this.#receiveWindow.charge(to)) return true;
    if (this.claimState === "claimed") return refuse("refused", "more bytes came than there was credit for");
    this.#miss(); // of a broadcast to everybody this may be: nobody is waited for who has not claimed it
    return false;
  }

  /** Bytes go by: what has come is of no use to a handler that comes late. */
  #miss(): void {
    this.#missed = true;
    this.#came = this.received;
    this.#buffer.close();
    this.#receiveWindow.end(this.taken);
    this.taken = this.#buffer.received = this.#receiveWindow.reserved;
  }

  /** Charges what describes it, its header or its trailer; false where there is no memory for that. */
  keeps(bytes: number): boolean {
    return this.#memory.reserve(bytes);
  }

  #crowd(): void {
    this.#break(this.extension === undefined ? "too-large" : "refused", `what "${this.from}" has sent fills its memory here`);
  }

  #break(code: StreamErrorCode, why: string): void {
    this.#fail(this.failure(code, why));
  }

  #fail(error: StreamError): void {
    this.actor.send({ type: "stream.broken", error });
  }

  #end(): void {
    this.#ended = true;
    this.unread.end();
    this.#buffer.close();
    this.#memory.end();
    this.#receiveWindow.end(this.taken);
    const sent = this.#trailer?.extension?.bytes;
    if (sent !== undefined) this.release(sent);
    this.#wake?.();
    this.#context.ended();
  }
}
