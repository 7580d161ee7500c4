import { LEAST_WINDOW } from "../../protocol/constants.ts";
import type { Clock } from "../../protocol/clock.ts";
import { CongestionWindow } from "../../protocol/flow/congestion.ts";
import type { AcknowledgedStream, ControlMessage, Hello, PeerState, ReceivingState, SendingState } from "../../protocol/wire/control.ts";
import { type ReceiveBudget, SenderWindow, SharedCredit } from "../../protocol/flow/credit.ts";
import type { Destination } from "../../protocol/flow/destinations.ts";
import type { Limits } from "../../protocol/limits.ts";
import type { SenderMemory } from "../../protocol/memory_account.ts";
import { Remembered } from "../../protocol/bounded_map.ts";
import { Sequences } from "../../protocol/wire/replay_window.ts";
import type { StreamBudget, StreamCredit } from "../../protocol/flow/stream_credit.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { Answers } from "./answers.ts";
import type { IncomingStream } from "../incoming/stream.ts";
import type { OutgoingStream } from "../outgoing/stream.ts";
import { PendingRefusals, type Report } from "../outgoing/refusals.ts";
import { StreamCounts } from "./stream_counts.ts";

/** Ended streams that a peer may still ask about. */
const REMEMBERED = 256;

/** What a packet of state holds, in bytes, below the 15,000 of a control packet; what a row takes without and with its texts. */
const STATE_BYTES = 12_000;
const ROW_BYTES = 60;
const BYTES_PER_UNIT = 3;

/** What a peer needs of its runtime. */
export interface PeerContext {
  readonly limits: Limits;
  readonly budget: ReceiveBudget;
  readonly streamBudget: StreamBudget;
  readonly memory: SenderMemory;
  readonly clock: Required<Clock>;
  /** Which life of the runtime this is. */
  readonly instance: string;
  tell(peer: Peer, message: ControlMessage): void;
  /** It has asked for a hello. */
  greet(peer: Peer): void;
  /** Streams of a sender that are open here, of all its lives and as another SDK too. */
  openStreams(identity: string): number;
  /** A receiver takes more streams, or is gone: sends that wait may go on. */
  streamsRaised(peer: Peer): void;
  /** Sends that wait until a receiver takes more streams. */
  waitingFor(credit: StreamCredit): number;
  /** Hands an error that nobody awaits to the user. */
  readonly report: Report;
  /** Makes the peer a receiver of an open stream to everybody, which it got unknown; false if there is no such stream. */
  adopt(peer: Peer, sequence: number): boolean;
}

/** Another participant: whether it is a Millrace runtime, which life of it, and what the two have under way. */
export class Peer {
  readonly identity: string;
  /** Streams from here to there, by sequence number. */
  readonly outgoing = new Map<number, OutgoingStream>();
  /** Streams from there to here that have not ended, by id: the latest of an id. */
  readonly incoming = new Map<string, IncomingStream>();
  /** What it said of itself; undefined before it has said anything, and of other SDKs. */
  hello: Hello | undefined;
  /** Its first hello was waited for in vain. */
  silent = false;
  /** When it last gave a sign of life, or began to be waited for, in the clock's milliseconds. */
  heardAt = 0;
  /** Answers to its hellos. */
  readonly helloAnswers: Answers;
  /** How many streams may be opened to it, and by it. */
  readonly streams: StreamCounts;
  /** Which life of it; known from any of its packets. */
  instance: string | undefined;
  readonly #context: PeerContext;
  readonly #retired = new Remembered<string, true>(REMEMBERED);
  readonly #incoming = new Map<number, IncomingStream>();
  readonly #endedIncoming = new Remembered<number, IncomingStream>(REMEMBERED);
  readonly #endedOutgoing = new Remembered<number, OutgoingStream>(REMEMBERED);
  readonly #refusals: PendingRefusals;
  readonly #toldReceiving = new Set<IncomingStream>();
  readonly #toldSending = new Set<OutgoingStream>();
  readonly #strays = new Map<number, SendingState>();
  readonly #rowAnswers: Answers;
  #sequences = new Sequences();
  #shared: SharedCredit | undefined;
  #window: SenderWindow | undefined;
  #congestion: CongestionWindow | undefined;
  readonly #acknowledgements: Acknowledgements;
  /** Windows of its open streams, by sequence number, and their sum. */
  readonly #windows = new Map<number, number>();
  #openWindows = 0;
  #toldCredit = 0;
  #creditDue = false;
  #flush: ReturnType<typeof setImmediate> | undefined;

  constructor(identity: string, context: PeerContext) {
    this.identity = identity;
    this.#context = context;
    this.#refusals = new PendingRefusals(identity, context.report);
    this.helloAnswers = new Answers(context.clock, () => context.greet(this));
    this.#rowAnswers = new Answers(context.clock, () => this.#arm());
    this.#acknowledgements = new Acknowledgements(context.clock, (streams) => {
      if (this.instance !== undefined) {
        context.tell(this, { kind: "ack", instance: context.instance, about: this.instance, streams });
      }
    });
    this.streams = new StreamCounts({
      limits: context.limits,
      budget: context.streamBudget,
      openStreams: () => context.openStreams(identity),
      waiting: (credit) => context.waitingFor(credit),
      due: () => this.tellCounts(),
      raised: () => context.streamsRaised(this),
    });
  }

  /** Memory that is held here for it, in all its lives. */
  get memory(): SenderMemory {
    return this.#context.memory;
  }

  /** Whether it is known to be a Millrace runtime. */
  get known(): boolean {
    return this.hello !== undefined;
  }

  get busy(): boolean {
    return this.#incoming.size > 0 || this.outgoing.size > 0 || this.streams.isWaitedFor;
  }

  /** Credit for what is sent to it, all streams together. */
  get shared(): SharedCredit {
    return this.#shared ??= new SharedCredit(this.hello?.credit ?? LEAST_WINDOW);
  }

  /** What may be on its way to it. */
  get congestion(): CongestionWindow {
    return this.#congestion ??= new CongestionWindow();
  }

  /** Credit for what it sends. */
  get window(): SenderWindow {
    return this.#window ??= new SenderWindow(this.#context.limits, this.#context.budget);
  }

  /** Bytes of a stream that it takes before it has said anything of that stream. */
  get streamWindow(): number {
    return this.hello?.streamWindow ?? LEAST_WINDOW;
  }

  /** Bytes a frame for it may hold, so that one always fits when nothing is unread. */
  get frameBytes(): number {
    return Math.floor(Math.min(this.streamWindow, this.hello?.credit ?? LEAST_WINDOW) / 4);
  }

  /** Takes note of which life a packet is of; false if of one that is over. A new one ends the streams of the one before. */
  meet(instance: string): boolean {
    if (this.instance === instance) return true;
    if (this.#retired.get(instance) !== undefined) return false;
    if (this.instance !== undefined) this.retire();
    this.instance = instance;
    return true;
  }

  /** Its life is over: it left, said goodbye, or came back as another. */
  retire(): void {
    if (this.instance !== undefined) this.#retired.set(this.instance, true);
    this.instance = undefined;
    this.hello = undefined;
    this.silent = false;
    for (const stream of [...this.#incoming.values(), ...this.incoming.values()]) stream.senderGone();
    this.#incoming.clear(); // what came whole can still be read; its number may come again
    this.incoming.clear();
    for (const stream of [...this.outgoing.values()]) stream.noteGone(this.identity, "disconnected");
    this.outgoing.clear();
    this.#endedIncoming.clear();
    this.#endedOutgoing.clear();
    this.#refusals.clear();
    this.#toldReceiving.clear();
    this.#toldSending.clear();
    this.#strays.clear();
    this.#sequences = new Sequences();
    this.#shared = undefined;
    this.#window?.close();
    this.#window = undefined;
    this.#congestion = undefined;
    this.#windows.clear();
    this.#openWindows = 0;
    this.#toldCredit = 0;
    this.stop();
    this.streams.reset();
  }

  /** It gives no sign of life: what is sent to it ends. What it sends has a silence of its own. */
  giveUp(): void {
    for (const stream of [...this.outgoing.values()]) stream.noteSilent(this.identity);
  }

  /** Nothing more is told to it. */
  stop(): void {
    this.#acknowledgements.clear();
    this.helloAnswers.stop();
    this.#rowAnswers.stop();
    if (this.#flush !== undefined) clearImmediate(this.#flush);
    this.#flush = undefined;
  }

  noteHello(hello: Hello): void {
    this.hello = hello;
    this.silent = false;
    if (this.#shared?.raise(hello.credit) === true) this.#unblock();
    this.streams.raise(hello.streams);
  }

  /** Tells it how many streams it may open, how many were opened to it, and how many sends wait. */
  tellCounts(): void {
    this.#creditDue = true;
    if (this.hello !== undefined) this.#arm();
  }

  /** Whether a header with this number opens a stream. */
  isNew(sequence: number): boolean {
    return this.#sequences.take(sequence);
  }

  addIncoming(stream: IncomingStream): void {
    this.incoming.set(stream.streamId, stream);
    this.streams.open(stream);
    if (stream.facts === undefined) return;
    this.#incoming.set(stream.facts.sequence, stream);
    this.widen(stream);
  }

  /** A stream's window is known, or has changed. */
  widen(stream: IncomingStream): void {
    if (stream.facts === undefined || stream.ended) return;
    const { sequence } = stream.facts;
    this.#openWindows += stream.window - (this.#windows.get(sequence) ?? 0);
    this.#windows.set(sequence, stream.window);
    this.raise();
  }

  endIncoming(stream: IncomingStream): void {
    if (this.incoming.get(stream.streamId) === stream) this.incoming.delete(stream.streamId);
    this.streams.end(stream);
    if (stream.facts === undefined || this.#incoming.get(stream.facts.sequence) !== stream) return;
    this.#incoming.delete(stream.facts.sequence);
    this.#openWindows -= this.#windows.get(stream.facts.sequence) ?? 0;
    this.#windows.delete(stream.facts.sequence);
    this.#endedIncoming.set(stream.facts.sequence, stream);
  }

  endOutgoing(stream: OutgoingStream): void {
    if (!this.outgoing.delete(stream.spec.sequence)) return;
    this.#endedOutgoing.set(stream.spec.sequence, stream);
    this.#refusals.add(stream);
  }

  /** Tells it how a stream from it stands, with all else that is due. */
  tellReceiving(stream: IncomingStream): void {
    this.#toldReceiving.add(stream);
    this.#arm();
  }

  /** Tells it how a stream to it stands. */
  tellSending(stream: OutgoingStream): void {
    this.#toldSending.add(stream);
    this.#arm();
  }

  /** Tells it how all open streams stand: a sign of life, and a repeat of what may have been lost. */
  tellAll(): void {
    for (const stream of this.#incoming.values()) this.#toldReceiving.add(stream);
    for (const stream of this.outgoing.values()) this.#toldSending.add(stream);
    if (this.streams.isWaitedFor) this.#creditDue = true;
    this.#arm();
  }

  /** Raises the shared credit if its open streams can use more; tells of it when it is worth a packet. */
  raise(): void {
    this.window.open(this.#openWindows);
    if (this.window.limit - this.#toldCredit < this.window.floor / 4) return;
    this.#creditDue = true;
    if (this.hello !== undefined) this.#arm();
  }

  /** A chunk of a bulk stream of it has come. */
  acknowledge(stream: IncomingStream, bytes: number): void {
    this.#acknowledgements.add(stream, bytes);
  }

  /** It says what has come. */
  noteArrived(streams: readonly AcknowledgedStream[]): void {
    for (const { sequence, chunks } of streams) {
      (this.outgoing.get(sequence) ?? this.#endedOutgoing.get(sequence))?.noteArrived(this.identity, chunks);
    }
  }

  noteState(state: PeerState): void {
    if (this.shared.raise(state.credit)) {
      this.streams.credit.noteProgress();
      this.#unblock();
    }
    this.streams.raise(state.streams);
    if (state.opened !== undefined) this.streams.note(state.opened, state.waiting);
    for (const row of state.receiving) this.#noteReceiving(row);
    for (const row of state.sending) this.#noteSending(row);
  }

  #noteReceiving(row: ReceivingState): void {
    const stream = this.outgoing.get(row.sequence);
    if (stream !== undefined) return stream.noteState(this.identity, row);
    this.#refusals.note(row);
    const ended = this.#endedOutgoing.get(row.sequence);
    if (ended !== undefined) {
      // One who has ended it, too, may yet have to learn how far it was sent: shared credit returns by that.
      if (row.end !== undefined && row.received >= ended.finalFor(this.identity)) return;
      this.#toldSending.add(ended);
      return this.#rowAnswers.request();
    }
    if (row.end !== undefined || this.instance === undefined) return;
    if (this.#context.adopt(this, row.sequence)) return this.outgoing.get(row.sequence)?.noteState(this.identity, row);
    if (this.#strays.size >= REMEMBERED) return; // it will ask again
    this.#strays.set(row.sequence, { sequence: row.sequence, final: row.received, end: "incomplete" });
    this.#rowAnswers.request();
  }

  #noteSending(row: SendingState): void {
    const stream = this.#incoming.get(row.sequence);
    if (stream !== undefined) {
      if (row.final === undefined) return stream.heard();
      stream.noteFinal(row.end, row.reason);
      if (!stream.ended) return;
    }
    const ended = this.#endedIncoming.get(row.sequence);
    if (ended === undefined) return;
    if (row.final !== undefined) {
      ended.release(row.final);
      this.raise();
    }
    // It has not heard how the stream ended here; of one that waits for a receipt, what was told before may have been lost.
    if (row.final !== undefined && (row.end !== undefined || ended.facts?.confirm !== true)) return;
    this.#toldReceiving.add(ended);
    this.#rowAnswers.request();
  }

  #unblock(): void {
    for (const stream of this.outgoing.values()) stream.unblock();
  }

  /** What is due goes out when this turn's packets were seen: claims, credit and receipts of many streams in one packet. */
  #arm(): void {
    this.#flush ??= setImmediate(() => {
      this.#flush = undefined;
      this.flush();
    });
  }

  /** Sends what is due. */
  flush(): void {
    if (this.instance === undefined) return;
    let receiving: ReceivingState[] = [];
    let sending: SendingState[] = [];
    let bytes = 0;
    const send = (): void => {
      const { instance } = this.#context;
      const credit = this.window.limit;
      this.#toldCredit = credit;
      this.#creditDue = false;
      const about = this.instance ?? "";
      this.#context.tell(this, { kind: "state", instance, about, credit, ...this.streams.tell(), receiving, sending });
      receiving = [];
      sending = [];
      bytes = 0;
    };
    const count = (row: { reason?: string; digest?: string }): void => {
      bytes += ROW_BYTES + BYTES_PER_UNIT * ((row.reason?.length ?? 0) + (row.digest?.length ?? 0));
      if (bytes > STATE_BYTES) send();
    };
    for (const stream of this.#toldReceiving) {
      // Whole and nobody waits to hear of it: what there was to tell has become nothing.
      if (stream.ended && stream.error === undefined && stream.facts?.confirm === false) continue;
      receiving.push(stream.state());
      count(stream.error ?? {});
    }
    for (const stream of this.#toldSending) {
      sending.push(stream.state(this.#destination(stream)));
      count(stream.error ?? {});
    }
    for (const row of this.#strays.values()) {
      sending.push(row);
      count(row);
    }
    this.#toldReceiving.clear();
    this.#toldSending.clear();
    this.#strays.clear();
    if (this.#creditDue || receiving.length > 0 || sending.length > 0) send();
  }

  #destination(stream: OutgoingStream): Destination | undefined {
    return stream.spec.destinations.find(this.identity);
  }
}
