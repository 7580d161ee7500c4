import { StreamError, type StreamErrorCode } from "../errors.ts";
import { Assembly } from "../protocol/assembly.ts";
import { SEGMENT_BYTES, SEGMENT_HEADROOM, STREAM_CHUNK_SIZE } from "../protocol/constants.ts";
import type { Claim, ReceivingState } from "../protocol/control.ts";
import type { SenderWindow } from "../protocol/credit.ts";
import { isDigestOf, type RunningDigest, runningDigest } from "../protocol/digest.ts";
import { type FrameHeader, FrameParser } from "../protocol/frames.ts";
import { decodeTrailer, type HeaderFacts, type OpenedStream, type StreamDescription, type TrailerFacts } from "../protocol/header.ts";
import { ProgressTracker } from "../protocol/progress.ts";
import type { Segment } from "../workers/segments.ts";
import type { StreamContext } from "./context.ts";
import type { IncomingActor } from "./incoming.ts";

/** Milliseconds that chunks missing at the trailer may still take: on a transport that keeps its promises there are none. */
const GAP_WAIT = 1_000;

/** Milliseconds after which even little that was taken is told of, so that a sender sees that a slow reader makes progress. */
const RAISE_WAIT = 1_000;

/** Pieces that wait as they came; past that, small ones are put together, as each costs more memory than its bytes. */
const LOOSE_PIECES = 64;

/** What a handler is told at the end. */
export interface Trailer {
  /** "" unless the sender gave one. */
  reason: string;
  attributes: Record<string, string>;
}

/** A run of a stream's bytes that has come: of a framed stream one frame, not yet checked, in shared memory. */
export interface Piece {
  readonly memory: Uint8Array;
  readonly length: number;
  /** Of a frame. */
  readonly digest?: Uint8Array;
  readonly segment?: Segment;
}

/** Where a frame goes as it comes: shared memory, or, if it is small, memory of its own that is checked here. */
interface FrameMemory {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly segment?: Segment;
}

/** What a stream that comes in needs of its runtime. */
export interface IncomingContext {
  readonly stream: StreamContext;
  /** Of a Millrace sender: the credit that its streams share. */
  readonly shared: SenderWindow | undefined;
  /** The sender is to be told how the stream stands. */
  notify(stream: IncomingStream): void;
  /** The stream's window is its handler's now. */
  widened(stream: IncomingStream): void;
  /** The stream has ended. */
  ended(stream: IncomingStream): void;
  /** Bytes were taken: the shared credit may rise. */
  consumed(): void;
}

/** What is known of a stream on its way in. Packets come to it, readers take from it, its actor decides. */
export class IncomingStream {
  readonly from: string;
  readonly description: StreamDescription;
  readonly facts: HeaderFacts | undefined;
  /** What handlers see of the sender. */
  readonly senderIdentity: string;
  readonly tracker: ProgressTracker;
  /** Resolves with the trailer when all was taken and checked; rejects with what the stream failed with. */
  readonly closed: Promise<Trailer>;
  actor!: IncomingActor;
  claim: Claim = "unclaimed";
  /** Plain bytes that have come, without a gap. */
  received = 0;
  /** Plain bytes that the reader has taken. */
  taken = 0;
  readonly #context: IncomingContext;
  readonly #assembly: Assembly;
  readonly #parser: FrameParser<FrameMemory> | undefined;
  readonly #pieces: Piece[] = [];
  #window: number;
  /** What the sender is told: nothing before there is a handler, as its hello stands for that. */
  #credit = 0;
  #raisedAt = 0;
  /** What it is held to; it may have been told of a wider window than its handler's. */
  #allowed: number;
  /** Offset up to which shared credit was used: of a frame under way, to its end. */
  #charged = 0;
  #heardAt: number;
  #gapSince: number | undefined;
  /** Bytes were dropped, as nobody had claimed the stream. */
  #missed = false;
  #trailer: (Trailer & { facts?: TrailerFacts }) | undefined;
  #digest: RunningDigest | undefined;
  #finalDigest: string | undefined;
  #error: StreamError | undefined;
  #ended = false;
  #wake: (() => void) | undefined;
  #resolveClosed!: (trailer: Trailer) => void;
  #rejectClosed!: (error: StreamError) => void;

  constructor(from: string, opened: OpenedStream, context: IncomingContext) {
    this.from = from;
    this.description = opened.description;
    this.facts = opened.facts;
    this.senderIdentity = opened.senderIdentity ?? from;
    this.#context = context;
    this.tracker = new ProgressTracker(opened.description.info.size ?? 0);
    this.#window = context.stream.limits.receiveWindow;
    this.#allowed = this.#window;
    this.#heardAt = context.stream.clock.now();
    this.#assembly = new Assembly((content) => this.#deliver(content));
    if (opened.facts !== undefined) this.#digest = runningDigest();
    if (opened.facts?.format === "framed") {
      this.#parser = new FrameParser({
        begin: (header) => this.#beginFrame(header),
        put: ({ bytes, start }, at, part) => bytes.set(part, start + at),
        end: (header, memory) => this.#endFrame(header, memory),
      });
    }
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
    return this.#window;
  }

  /** Bytes that wait for the reader. */
  get held(): number {
    return this.received - this.taken + this.#assembly.heldBytes;
  }

  /** Everything the sender sent is here. */
  get complete(): boolean {
    if (this.#trailer === undefined) return false;
    const { facts } = this.#trailer;
    return facts === undefined ? !this.#assembly.gap : this.#assembly.next >= facts.chunks;
  }

  /** A handler was found: bytes that wait are its, and the sender may go on. */
  claimed(window: number | undefined): void {
    this.claim = "claimed";
    if (window !== undefined) this.#window = window;
    this.#context.widened(this);
    this.#raise();
    if (this.facts !== undefined) this.#context.notify(this);
    if (this.#missed) this.#break("incomplete", "its handler came when bytes had gone by");
  }

  /** Lets the sender go on. */
  #raise(): void {
    this.#credit = this.taken + this.#window;
    this.#raisedAt = this.context.clock.now();
    this.#allowed = Math.max(this.#allowed, this.#credit);
  }

  /** A sign of life of the sender. */
  heard(): void {
    this.#heardAt = this.context.clock.now();
  }

  /** Milliseconds until the silence has lasted too long. */
  untilSilent(): number {
    if (this.complete) return Infinity;
    const { idleTimeout, foreignIdleTimeout } = this.context.limits;
    const limit = this.facts === undefined ? foreignIdleTimeout : idleTimeout;
    const now = this.context.clock.now();
    const left = limit - (now - this.#heardAt);
    return Math.max(0, this.#gapSince === undefined ? left : Math.min(left, GAP_WAIT - (now - this.#gapSince)));
  }

  /** What the silence means, if it has lasted too long. */
  silence(): StreamError | undefined {
    if (this.untilSilent() > 0) return undefined;
    if (this.#trailer !== undefined || this.#gapSince !== undefined || this.#assembly.gap) {
      return this.failure("incomplete", `chunk ${this.#assembly.next} did not come`);
    }
    return this.failure("timeout", `nothing was heard of "${this.from}" any more`);
  }

  chunk(index: number, content: Uint8Array): void {
    if (this.#ended) return;
    this.heard();
    const facts = this.#trailer?.facts;
    if (facts !== undefined && index >= facts.chunks) return this.#break("corrupt", `chunk ${index} came after the last`);
    const placed = this.#assembly.place(index, content, this.#window);
    if (placed === "corrupt") this.#break("corrupt", `chunk ${index} is not what was due`);
    else if (placed === "too-far") this.#break("refused", `chunk ${index} is beyond the credit`);
    else if (facts !== undefined && this.complete) this.#wake?.();
  }

  trailer(reason: string, rawAttributes: Readonly<Record<string, string>>): void {
    if (this.#ended || this.#trailer !== undefined) return;
    this.heard();
    const decoded = decodeTrailer(rawAttributes);
    if (decoded === undefined || (this.facts !== undefined && decoded.facts === undefined)) {
      return this.#break("corrupt", "its trailer cannot be read");
    }
    const { attributes, facts } = decoded;
    if (facts !== undefined && facts.chunks < this.#assembly.next) return this.#break("corrupt", "more chunks came than were sent");
    this.#trailer = { reason, attributes, ...(facts === undefined || this.facts === undefined ? {} : { facts }) };
    if (!this.complete) this.#noteGap();
    this.actor.send({ type: "trailer.received" });
    this.#wake?.();
  }

  /** The sender says that it has ended the stream; its trailer may be lost, or on the way. */
  noteFinal(code: StreamErrorCode | undefined, reason: string | undefined): void {
    if (this.#ended || this.complete) return;
    if (code === undefined) this.#noteGap();
    else this.#fail(this.failure(code, `"${this.from}" gave it up`, reason));
  }

  /** The sender is gone. What has come whole can still be read. */
  senderGone(): void {
    if (this.#ended) return;
    const givenUp = this.#givenUp;
    if (givenUp !== undefined) this.#fail(givenUp);
    else if (!this.complete) this.#break("disconnected", `"${this.from}" left`);
  }

  /** It is over the limits, before a byte of it has come. */
  refuse(code: StreamErrorCode, why: string): void {
    this.#break(code, why);
  }

  /** The next bytes, if any have come. */
  poll(): Piece | undefined {
    const piece = this.#pieces.shift();
    if (piece === undefined || piece.segment !== undefined || piece.length === piece.memory.buffer.byteLength) return piece;
    return { ...piece, memory: piece.memory.slice() }; // put together: without the room that was left for more
  }

  /** Resolves when there may be more to poll, or the stream has ended. */
  async arrival(): Promise<void> {
    if (this.#pieces.length > 0 || this.#ended || this.complete) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }

  /** A piece was taken by the reader, checked. */
  took(piece: Piece): void {
    if (this.#parser === undefined) this.#digest?.update(piece.memory);
    const from = this.taken;
    this.taken += piece.length;
    this.tracker.update(piece.length);
    piece.segment?.release();
    if (this.#ended || this.facts === undefined) return;
    this.#context.shared?.consume(from, this.taken);
    this.#context.consumed();
    const due = this.taken + this.#window - this.#credit >= this.#window / 4;
    if (due || this.context.clock.now() - this.#raisedAt >= RAISE_WAIT) {
      this.#raise();
      this.#context.notify(this);
    }
  }

  /** After the last piece was taken: throws unless the stream is whole. */
  check(): void {
    const trailer = this.#trailer;
    if (trailer === undefined) throw this.failure("incomplete", "its trailer did not come");
    const { facts } = trailer;
    const { size } = this.description.info;
    if (this.#givenUp !== undefined) throw this.#givenUp;
    if (this.facts === undefined && trailer.reason !== "") throw this.failure("aborted", `"${this.from}" gave it up`, trailer.reason);
    if (this.#parser?.between === false) throw this.failure("incomplete", "its last frame is not whole");
    if (size !== undefined && this.taken !== size) throw this.failure("incomplete", `${this.taken} of ${size} bytes came`);
    if (facts === undefined) return;
    this.#finalDigest ??= this.#digest?.finish();
    if (facts.bytes !== this.taken || facts.digest !== this.#finalDigest) {
      throw this.failure("corrupt", "its digest is not that of its bytes");
    }
  }

  /** Entered by its actor: all was taken and checked. */
  close(): void {
    if (this.#ended) return;
    this.#end();
    const { reason = "", attributes = {} } = this.#trailer ?? {};
    this.#resolveClosed({ reason, attributes });
    if (this.facts?.confirm === true) this.#context.notify(this);
  }

  /** Entered by its actor, or when that was stopped. */
  fail(error: StreamError): void {
    if (this.#ended) return;
    this.#error = error;
    this.#end();
    this.#rejectClosed(error);
    if (this.facts !== undefined) this.#context.notify(this);
  }

  /** After the end: the sender says how far it had sent. What never came is not waited for. */
  release(final: number): void {
    this.#context.shared?.receive(this.#charged, final);
    this.#context.shared?.consume(this.#charged, final);
    this.#charged = final;
    this.received = final;
  }

  /** How the stream stands, as its sender is told. */
  state(): ReceivingState {
    const { claim, received, taken } = this;
    const base = { sequence: this.facts?.sequence ?? 0, claim, credit: this.#credit, received: Math.max(received, taken), taken };
    if (!this.#ended) return base;
    if (this.#error === undefined) return { ...base, end: "done", ...(this.#finalDigest === undefined ? {} : { digest: this.#finalDigest }) };
    const { code, reason } = this.#error;
    return { ...base, end: code, ...(reason === undefined ? {} : { reason }) };
  }

  /** What it means that its sender, a Millrace runtime, ended it before it was whole. */
  get #givenUp(): StreamError | undefined {
    const { reason, facts } = this.#trailer ?? {};
    if (facts?.code === undefined) return undefined;
    // Other SDKs need a reason to see that it failed: where the sender gave none, the code stands for it.
    return this.failure(knownCode(facts.code), `"${this.from}" gave it up`, reason === facts.code ? undefined : reason);
  }

  failure(code: StreamErrorCode, why: string, reason?: string): StreamError {
    const { streamId, from: identity } = this;
    const message = `Cannot receive the stream as ${why}: stream id is "${streamId}"`;
    return new StreamError(code, message, { streamId, identity, ...(reason === undefined || reason === "" ? {} : { reason }) });
  }

  #deliver(content: Uint8Array): boolean {
    if (this.#missed) return true; // it goes by
    if (this.#parser === undefined) {
      if (!this.#admit(this.received + content.length)) return true;
      this.received += content.length;
      if (content.length > 0) this.#keep(content, true);
    } else {
      const parsed = this.#parser.push(content);
      if (this.#ended || this.#missed) return true; // a frame was not admitted
      this.received = this.#parser.received;
      if (!parsed) return false;
    }
    this.#wake?.();
    return true;
  }

  /** Checks bytes up to an offset against the limits, and uses up credit for them; false if they are not to be kept. */
  #admit(to: number): boolean {
    const { limits } = this.context;
    const { size } = this.description.info;
    if (to > limits.streamBytes) return this.#refuse("too-large", `it is longer than ${limits.streamBytes} bytes`);
    if (size !== undefined && to > size) return this.#refuse("too-large", `it is longer than the ${size} bytes announced`);
    const { shared } = this.#context;
    if (this.facts === undefined || shared === undefined) {
      const fits = to - this.taken <= limits.foreignQueue;
      return fits || this.#refuse("too-large", `its reader has left more than ${limits.foreignQueue} bytes unread`);
    }
    if (to <= this.#allowed && shared.allows(this.#charged, to)) {
      shared.receive(this.#charged, to);
      this.#charged = to;
      return true;
    }
    if (this.claim === "claimed") return this.#refuse("refused", "more bytes came than there was credit for");
    this.#missed = true; // of a broadcast to everybody this may be: nobody is waited for who has not claimed it
    for (const piece of this.#pieces.splice(0)) piece.segment?.release();
    shared.consume(this.taken, this.#charged);
    this.taken = this.received = this.#charged;
    return false;
  }

  #refuse(code: StreamErrorCode, why: string): false {
    this.#break(code, why);
    return false;
  }

  #beginFrame({ offset, length }: FrameHeader): FrameMemory | undefined {
    if (length > SEGMENT_BYTES || !this.#admit(offset + length)) return undefined;
    if (length <= STREAM_CHUNK_SIZE) return { bytes: new Uint8Array(length), start: 0 };
    const segment = this.context.codec.segments.acquire(SEGMENT_HEADROOM + length);
    return { bytes: segment.bytes, start: SEGMENT_HEADROOM, segment };
  }

  #endFrame({ digest, length }: FrameHeader, { bytes, start, segment }: FrameMemory): void {
    this.#digest?.update(digest);
    if (segment !== undefined) return void this.#pieces.push({ memory: bytes.subarray(start, start + length), length, digest, segment });
    if (isDigestOf(digest, bytes)) this.#keep(bytes, false);
    else this.#break("corrupt", "a frame's digest is not that of its bytes");
  }

  /** Keeps bytes for the reader; `borrowed`: they are the transport's. */
  #keep(bytes: Uint8Array, borrowed: boolean): void {
    const last = this.#pieces.at(-1);
    const length = bytes.length + (last?.length ?? 0);
    if (last === undefined || last.segment !== undefined || this.#pieces.length < LOOSE_PIECES || length > STREAM_CHUNK_SIZE) {
      this.#pieces.push({ memory: borrowed ? bytes.slice() : bytes, length: bytes.length });
      return;
    }
    let memory = new Uint8Array(last.memory.buffer);
    if (memory.length < length) {
      memory = new Uint8Array(Math.min(2 * length, STREAM_CHUNK_SIZE));
      memory.set(last.memory);
    }
    memory.set(bytes, last.length);
    this.#pieces[this.#pieces.length - 1] = { memory: memory.subarray(0, length), length };
  }

  #noteGap(): void {
    if (this.#gapSince !== undefined) return;
    this.#gapSince = this.context.clock.now();
    this.actor.send({ type: "gap.found" });
  }

  #break(code: StreamErrorCode, why: string): void {
    this.#fail(this.failure(code, why));
  }

  #fail(error: StreamError): void {
    this.actor.send({ type: "stream.broken", error });
  }

  #end(): void {
    this.#ended = true;
    for (const piece of this.#pieces.splice(0)) piece.segment?.release();
    this.#parser?.takePartial()?.segment?.release();
    this.#assembly.clear();
    if (this.facts !== undefined) this.#context.shared?.consume(this.taken, this.#charged);
    const sent = this.#trailer?.facts?.bytes;
    if (sent !== undefined) this.release(sent);
    this.#wake?.();
    this.#context.ended(this);
  }
}

function knownCode(code: string): StreamErrorCode {
  return code === "incomplete" || code === "timeout" || code === "disconnected" ? code : "aborted";
}
