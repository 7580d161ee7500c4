import { DEFAULT_LIMITS, type Limits } from "../../protocol/limits.ts";
import { StreamMemory } from "../../protocol/memory_account.ts";
import { type OpenedStream, promisedSize } from "../../protocol/wire/header.ts";
import type { StreamContext } from "../common/context.ts";
import type { ReceivedBlock } from "./block_queue.ts";
import type { ContentCheck } from "./content_check.ts";
import type { IncomingContext } from "./context.ts";
import type { Fault } from "./fault.ts";
import { type Admission, type ChunkContent, ReceiveBuffer, type ReceiveBufferHooks } from "./receive_buffer.ts";
import { ReceiveWindow } from "./receive_window.ts";

/** Stream whose content is received. */
export interface ReceivingStream {
  /** Sender's identity on the transport. */
  readonly from: string;
  /** Whether a handler has claimed the stream. */
  readonly isClaimed: boolean;
  /** Called after content was parsed in a later turn of the event loop, with the fault if there was one. */
  parsedLater(fault: Fault | undefined): void;
}

/** Content of an incoming stream between network and reader: buffer, receive window, memory and limits. Offsets in plain bytes. */
export class ReceivedContent implements ReceiveBufferHooks {
  readonly #stream: ReceivingStream;
  readonly #opened: OpenedStream;
  readonly #context: StreamContext;
  readonly #memory: StreamMemory;
  readonly #buffer: ReceiveBuffer;
  readonly #receiveWindow: ReceiveWindow;
  readonly #check: ContentCheck;
  #consumed = 0;
  /** Offset that counts as received, once content is discarded or the end is settled. */
  #counted: number | undefined;
  #isReleased = false;

  constructor(
    stream: ReceivingStream,
    opened: OpenedStream,
    { stream: context, memory, shared }: IncomingContext,
    check: ContentCheck,
  ) {
    this.#stream = stream;
    this.#opened = opened;
    this.#context = context;
    this.#memory = new StreamMemory(memory);
    this.#receiveWindow = new ReceiveWindow(context.limits.receiveWindow, mostWindow(context.limits), shared, context.clock);
    this.#check = check;
    this.#buffer = new ReceiveBuffer(opened.extension?.format === "framed", context.codec.segments, this.#memory, this);
  }

  /** Bytes that have arrived without a gap. */
  get received(): number {
    return this.#counted ?? this.#buffer.received;
  }

  /** Chunks that have arrived without a gap. */
  get chunks(): number {
    return this.#buffer.next;
  }

  /** Bytes that the reader has consumed. */
  get consumed(): number {
    return this.#consumed;
  }

  /** Bytes that wait for the reader. */
  get held(): number {
    return this.received - this.#consumed + this.#buffer.heldBytes;
  }

  /** Charged memory, in bytes. */
  get charged(): number {
    return this.#memory.held;
  }

  /** Most bytes that may wait for the reader. */
  get window(): number {
    return this.#receiveWindow.window;
  }

  /** Offset up to which the sender may send, as last advertised. */
  get advertisedLimit(): number {
    return this.#receiveWindow.advertisedLimit;
  }

  /** Whether a chunk has arrived ahead of a missing one. */
  get hasGap(): boolean {
    return this.#buffer.gap;
  }

  /** Whether content in order is still to be parsed. */
  get isBehind(): boolean {
    return this.#buffer.behind;
  }

  /** Whether the parsed content ends within a frame. */
  get isCutOff(): boolean {
    return this.#buffer.broken;
  }

  /** Whether a block waits for the reader. */
  get isReadable(): boolean {
    return this.#buffer.waiting;
  }

  /** Whether content is discarded, as the stream has no handler: a handler registered later gets "incomplete". */
  get isDiscarding(): boolean {
    return this.#counted !== undefined;
  }

  /** Takes a chunk. Returns the fault that ends the stream, if there is one. */
  place(index: number, content: ChunkContent): Fault | undefined {
    const fault = this.#buffer.place(index, content, this.#receiveWindow.window);
    if (fault === undefined && this.#buffer.isPassing) this.discard();
    return fault;
  }

  /** Removes the next block; undefined if none waits. */
  poll(): ReceivedBlock | undefined {
    return this.#buffer.poll();
  }

  /** Frees a block that the reader has consumed. */
  consume(block: ReceivedBlock): void {
    const from = this.#consumed;
    this.#consumed += block.length;
    this.drop(block);
    this.#receiveWindow.consume(from, this.#consumed);
  }

  /** Adapts the window to its reader; it may grow by `room` bytes. Returns true if the window has changed. */
  adaptWindow(room: number): boolean {
    return this.#receiveWindow.adapt(this.#consumed, room);
  }

  /** Whether a credit update is worth a packet. */
  get isUpdateDue(): boolean {
    return this.#receiveWindow.shouldUpdate(this.#consumed);
  }

  /** Frees a block. */
  drop(block: ReceivedBlock): void {
    this.#buffer.drop(block);
  }

  /** Raises the sender's limit, with the handler's window if there is one. */
  grant(window?: number): void {
    this.#receiveWindow.grant(this.#consumed, window);
  }

  /** Charges memory for the header or trailer. Returns a fault if the sender's memory is used up. */
  reserve(bytes: number): Fault | undefined {
    return this.#memory.reserve(bytes) ? undefined : this.shortage;
  }

  /** Starts discarding content. */
  discard(): void {
    if (this.isDiscarding) return;
    this.#buffer.close();
    this.#receiveWindow.end(this.#consumed);
    this.#consumed = this.#counted = this.#receiveWindow.reserved;
  }

  /** Frees all memory and credit, as the stream has ended. */
  end(): void {
    this.#buffer.close();
    this.#memory.end();
    this.#receiveWindow.end(this.#consumed);
  }

  /** Settles the credit of an ended stream that was sent up to an offset, by the first word of its sender. */
  release(final: number): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#counted = this.#receiveWindow.release(final, this.#buffer.received);
  }

  /** Checks bytes up to an offset against the limits, and uses credit for them. */
  admit(to: number): Admission {
    const { streamBytes, foreignQueue } = this.#context.limits;
    const size = promisedSize(this.#opened);
    if (to > streamBytes) return { code: "too-large", why: `it is longer than ${streamBytes} bytes` };
    if (size !== undefined && to > size) return { code: "too-large", why: `it is longer than the ${size} bytes announced` };
    if (this.#opened.extension === undefined) {
      const fits = to - this.#consumed <= foreignQueue;
      return fits ? "keep" : { code: "too-large", why: `its reader has left more than ${foreignQueue} bytes unread` };
    }
    if (this.#receiveWindow.charge(to)) return "keep";
    // A broadcast does not wait for receivers without a handler: there its content passes.
    return this.#stream.isClaimed ? { code: "refused", why: "more bytes came than there was credit for" } : "pass";
  }

  framed(digest: Uint8Array): void {
    this.#check.update(digest);
  }

  parsedLater(fault: Fault | undefined): void {
    if (this.#buffer.isPassing) this.discard();
    this.#stream.parsedLater(fault);
  }

  get shortage(): Fault {
    const code = this.#opened.extension === undefined ? "too-large" : "refused";
    return { code, why: `what "${this.#stream.from}" has sent fills its memory here` };
  }
}

/** Bytes up to which a window follows its reader: half of the sender's credit. A window that was asked for is a bound. */
function mostWindow({ receiveWindow, senderWindow }: Limits): number {
  return receiveWindow === DEFAULT_LIMITS.receiveWindow ? Math.max(receiveWindow, senderWindow / 2) : receiveWindow;
}
