import { LEAST_WINDOW } from "../../protocol/constants.ts";
import { BoundedMap } from "../../common/bounded_map.ts";
import type { Clock } from "../../common/clock.ts";
import { CongestionController } from "../../protocol/flow/congestion.ts";
import { ConnectionSendWindow, type ReceiveBudget } from "../../protocol/flow/credit.ts";
import type { Limits } from "../../protocol/limits.ts";
import type {
  AcknowledgedStream,
  ControlMessage,
  Hello,
  PeerState,
  ReceivingState,
  SendingState,
} from "../../protocol/wire/control.ts";
import { ReplayWindow } from "../../protocol/wire/replay_window.ts";
import type { IncomingStream } from "../incoming/stream.ts";
import { PendingRefusals, type Report } from "../outgoing/refusals.ts";
import type { OutgoingStream } from "../outgoing/stream.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { Answers } from "./answers.ts";
import { ReceiveCredit } from "./receive_credit.ts";
import { type StateRows, StateUpdates } from "./state_updates.ts";
import type { StreamCounts } from "./stream_counts.ts";

/** Number of ended streams, in each direction, that a peer may still ask about. */
const REMEMBERED = 256;

/** Environment of a session: its peer and its runtime. */
export interface SessionContext {
  readonly identity: string;
  readonly limits: Limits;
  readonly budget: ReceiveBudget;
  readonly clock: Required<Clock>;
  /** Instance of this runtime's present life. */
  instance(): string;
  /** Stream credit in both directions, which outlives a session. */
  readonly counts: StreamCounts;
  /** Resolves when the message was sent or dropped. */
  tell(message: ControlMessage): Promise<void>;
  /** Reports an error that no call rejects with. */
  readonly report: Report;
  /** Adds the peer to an open broadcast that it received unlisted; false if there is no such stream. */
  adopt(sequence: number): boolean;
}

/** State shared with one instance of a participant: hello, streams, windows. Dropped whole when the instance ends. */
export class PeerSession {
  /** Instance id of the participant, from any of its control packets and headers. */
  instance: string | undefined;
  /** Hello of the participant; undefined before the hello arrives, and for another SDK. */
  hello: Hello | undefined;
  /** Kind of the participant; "sdk" once the wait for its hello has timed out. */
  kind: "unknown" | "millrace" | "sdk" = "unknown";
  /** Streams to the peer, by sequence number. */
  readonly outgoing = new Map<number, OutgoingStream>();
  readonly #context: SessionContext;
  readonly #incoming = new Map<number, IncomingStream>();
  readonly #endedIncoming = new BoundedMap<number, IncomingStream>(REMEMBERED);
  readonly #endedOutgoing = new BoundedMap<number, OutgoingStream>(REMEMBERED);
  readonly #sequences = new ReplayWindow();
  readonly #refusals: PendingRefusals;
  readonly #updates: StateUpdates;
  readonly #rowAnswers: Answers;
  readonly #acknowledgements: Acknowledgements;
  #closed = false;
  #sendWindow: ConnectionSendWindow | undefined;
  #receiveCredit: ReceiveCredit | undefined;
  #congestion: CongestionController | undefined;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#refusals = new PendingRefusals(context.identity, context.report);
    this.#updates = new StateUpdates(context.identity, (rows) => this.#send(rows));
    this.#rowAnswers = new Answers(context.clock, () => this.#updates.schedule());
    this.#acknowledgements = new Acknowledgements(context.clock, (streams) => {
      if (this.instance === undefined) return;
      void context.tell({ kind: "ack", instance: context.instance(), about: this.instance, streams });
    });
  }

  /** Whether streams are open, or sends wait for the peer. */
  get busy(): boolean {
    return this.#incoming.size > 0 || this.outgoing.size > 0 || this.#context.counts.isWaitedFor;
  }

  /** Shared credit of the streams to the peer. */
  get sendWindow(): ConnectionSendWindow {
    return this.#sendWindow ??= new ConnectionSendWindow(this.hello?.credit ?? LEAST_WINDOW);
  }

  /** Shared credit of the streams from the peer. */
  get receiveCredit(): ReceiveCredit {
    return this.#receiveCredit ??= new ReceiveCredit(this.#context.limits, this.#context.budget, () => this.queueCounts());
  }

  /** Controller of the bytes in flight to the peer. */
  get congestion(): CongestionController {
    return this.#congestion ??= new CongestionController();
  }

  /** The same controller, if a stream has needed one. */
  get measured(): CongestionController | undefined {
    return this.#congestion;
  }

  /** Receive window of a stream to the peer before its own credit is known, in bytes. */
  get streamWindow(): number {
    return this.hello?.streamWindow ?? LEAST_WINDOW;
  }

  /** Longest frame for the peer, in bytes: a quarter of its windows, so that a frame always fits when nothing is unread. */
  get frameBytes(): number {
    return Math.floor(Math.min(this.streamWindow, this.hello?.credit ?? LEAST_WINDOW) / 4);
  }

  /** Ends the session and its streams: the participant left, said goodbye, or came back as another instance. */
  close(): void {
    this.#closed = true;
    for (const stream of this.#incoming.values()) stream.senderGone();
    for (const stream of [...this.outgoing.values()]) stream.deliveries.noteGone(this.#context.identity, "disconnected");
    this.outgoing.clear();
    this.#receiveCredit?.close();
    this.stop();
  }

  /** Stops all sending to the peer. */
  stop(): void {
    this.#acknowledgements.clear();
    this.#rowAnswers.stop();
    this.#updates.cancel();
  }

  /** Ends the streams to a silent peer. Streams from it have timeouts of their own. */
  failOutgoing(): void {
    for (const stream of [...this.outgoing.values()]) stream.deliveries.noteSilent(this.#context.identity);
  }

  /** Handles the hello of a Millrace runtime. */
  noteHello(hello: Hello): void {
    this.kind = "millrace";
    this.hello = hello;
    if (this.#sendWindow?.raise(hello.credit) === true) this.#unblock();
    this.#context.counts.raise(hello.streams);
  }

  /** The hello has not come in time: the participant counts as one of another SDK until it does. */
  missHello(): void {
    if (this.kind === "unknown") this.kind = "sdk";
  }

  /** The participant has come again: its hello is awaited again. */
  expectHello(): void {
    if (this.kind === "sdk") this.kind = "unknown";
  }

  /** Takes a header's sequence number; false for a repeat, which opens no stream. */
  isNew(sequence: number): boolean {
    return this.#sequences.take(sequence);
  }

  addIncoming(stream: IncomingStream): void {
    if (stream.extension === undefined) return;
    this.#incoming.set(stream.extension.sequence, stream);
    this.updateWindow(stream);
  }

  /** Counts a stream's window, which was just learnt or has changed. */
  updateWindow(stream: IncomingStream): void {
    if (stream.extension === undefined || stream.ended) return;
    this.receiveCredit.setWindow(stream.extension.sequence, stream.content.window);
  }

  endIncoming(stream: IncomingStream): void {
    if (stream.extension === undefined) return;
    const { sequence } = stream.extension;
    if (this.#incoming.get(sequence) !== stream) return;
    this.#incoming.delete(sequence);
    this.#endedIncoming.set(sequence, stream);
    this.receiveCredit.removeWindow(sequence);
  }

  endOutgoing(stream: OutgoingStream): void {
    if (!this.outgoing.delete(stream.spec.sequence)) return;
    this.#endedOutgoing.set(stream.spec.sequence, stream);
    this.#refusals.add(stream);
  }

  /** Queues the state of a stream from the peer. */
  queueReceivingState(stream: IncomingStream): void {
    if (this.#closed) return;
    this.#updates.addReceiving(stream);
    this.#updates.schedule();
  }

  /** Queues the state of a stream to the peer. */
  queueSendingState(stream: OutgoingStream): void {
    if (this.#closed) return;
    this.#updates.addSending(stream);
    this.#updates.schedule();
  }

  /** Queues the counts of streams and of waiting sends, and the credit. */
  queueCounts(): void {
    this.#updates.addCredit();
    if (this.kind === "millrace") this.#updates.schedule();
  }

  /** Queues the states of all open streams: a keep-alive, and a repeat of lost packets. */
  queueAllStates(): void {
    for (const stream of this.#incoming.values()) this.#updates.addReceiving(stream);
    for (const stream of this.outgoing.values()) this.#updates.addSending(stream);
    if (this.#context.counts.isWaitedFor) this.#updates.addCredit();
    this.#updates.schedule();
  }

  /** Sends the queued states. */
  flush(): void {
    if (this.instance !== undefined) this.#updates.flush();
  }

  /** Acknowledges a chunk of a bulk stream from the peer. */
  acknowledge(stream: IncomingStream, bytes: number): void {
    this.#acknowledgements.add(stream, bytes);
  }

  /** Handles the peer's acknowledgements. */
  noteArrived(streams: readonly AcknowledgedStream[]): void {
    for (const { sequence, chunks } of streams) {
      (this.outgoing.get(sequence) ?? this.#endedOutgoing.get(sequence))?.deliveries.noteArrived(this.#context.identity, chunks);
    }
  }

  /** Handles the peer's states of streams. */
  noteState(state: PeerState): void {
    const { counts } = this.#context;
    if (this.sendWindow.raise(state.credit)) {
      counts.credit.noteProgress();
      this.#unblock();
    }
    counts.raise(state.streams);
    if (state.opened !== undefined) counts.note(state.opened, state.waiting);
    for (const row of state.receiving) this.#noteReceiving(row);
    for (const row of state.sending) this.#noteSending(row);
  }

  #noteReceiving(row: ReceivingState): void {
    const { identity } = this.#context;
    const stream = this.outgoing.get(row.sequence);
    if (stream !== undefined) return stream.deliveries.noteState(identity, row);
    this.#refusals.note(row);
    const ended = this.#endedOutgoing.get(row.sequence);
    if (ended !== undefined) {
      // A receiver that has also ended the stream may not know its final offset, by which shared credit returns.
      if (row.end !== undefined && row.received >= ended.finalFor(identity)) return;
      this.#updates.addSending(ended);
      return this.#rowAnswers.request();
    }
    if (row.end !== undefined || this.instance === undefined) return;
    if (this.#context.adopt(row.sequence)) return this.outgoing.get(row.sequence)?.deliveries.noteState(identity, row);
    if (this.#updates.unknownStreams >= REMEMBERED) return; // the peer will ask again
    this.#updates.addUnknown({ sequence: row.sequence, final: row.received, end: "incomplete" });
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
      this.receiveCredit.update();
    }
    // The sender does not know the end here, or its receipt was lost.
    if (row.final !== undefined && (row.end !== undefined || ended.extension?.confirm !== true)) return;
    this.#updates.addReceiving(ended);
    this.#rowAnswers.request();
  }

  #unblock(): void {
    for (const stream of this.outgoing.values()) stream.unblock();
  }

  async #send(rows: StateRows): Promise<void> {
    const { counts } = this.#context;
    const { instance: about } = this;
    if (about === undefined || this.#closed) return;
    const instance = this.#context.instance();
    const credit = this.receiveCredit.advertise();
    await this.#context.tell({ kind: "state", instance, about, credit, ...counts.tell(), ...rows });
  }
}
