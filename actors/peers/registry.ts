import { type ControlMessage, decodeControl, encodeControl, type Hello } from "../../protocol/wire/control.ts";
import { ReceiveBudget } from "../../protocol/flow/credit.ts";
import { receiverMemory, type SenderMemory } from "../../protocol/memory_account.ts";
import { isUint8Array } from "../../protocol/realms.ts";
import { StreamBudget, type StreamCredit } from "../../protocol/flow/stream_credit.ts";
import type { Clock } from "../../protocol/clock.ts";
import type { Limits } from "../../protocol/limits.ts";
import type { Transport } from "../../transports/transport.ts";
import type { PacketScheduler } from "../common/packet_scheduler.ts";
import { Peer } from "./peer.ts";
import type { Report } from "../outgoing/refusals.ts";

/** Milliseconds that the first send to somebody waits for a hello. Then it goes as to a plain SDK. */
const HELLO_WAIT = 300;

/** Signs of life that go out within a receiver's patience: two may be lost. */
const KEEP_ALIVES_PER_TIMEOUT = 3;

/** Least time between two of them, in milliseconds. */
const MIN_KEEP_ALIVE_INTERVAL_MS = 10;

/** Milliseconds that a peer's patience counts as at least: a peer that says it has none gets three signs of life a second. */
const MIN_IDLE_TIMEOUT_MS = 1_000;

/** Environment of the peers: their runtime's transport, limits and clock, and calls on it. */
export interface PeersContext {
  readonly transport: Transport;
  readonly scheduler: PacketScheduler;
  readonly clock: Required<Clock>;
  readonly limits: Limits;
  readonly instance: string;
  /** Encodings of frames that are read here. */
  readonly encodings: readonly string[];
  /** The smallest window of a handler. */
  smallestWindow(): number;
  /** Streams of a sender that are open here. */
  openStreams(identity: string): number;
  /** A receiver takes more streams, or is gone. */
  streamsRaised(peer: Peer): void;
  /** Sends that wait until a receiver takes more streams. */
  waitingFor(credit: StreamCredit): number;
  /** Hands an error that nobody awaits to the user. */
  readonly report: Report;
  /** See {@linkcode PeerContext.adopt}. */
  adopt(peer: Peer, sequence: number): boolean;
}

/** All other participants, and what Millrace runtimes tell each other of themselves. */
export class Peers {
  readonly #context: PeersContext;
  readonly #peers = new Map<string, Peer>();
  readonly #budget: ReceiveBudget;
  readonly #streamBudget: StreamBudget;
  readonly #memoryOf: () => SenderMemory;
  readonly #waiting = new Map<string, (() => void)[]>();
  readonly #timers = new Map<Peer, unknown>();
  #closed = false;

  constructor(context: PeersContext) {
    this.#context = context;
    this.#budget = new ReceiveBudget(context.limits);
    this.#streamBudget = new StreamBudget(context.limits);
    this.#memoryOf = receiverMemory(context.limits);
  }

  get all(): Iterable<Peer> {
    return this.#peers.values();
  }

  find(identity: string): Peer | undefined {
    return this.#peers.get(identity);
  }

  /** The participant with an identity, made known if it was not. */
  get(identity: string): Peer {
    let peer = this.#peers.get(identity);
    if (peer === undefined) {
      const { limits, instance, clock } = this.#context;
      peer = new Peer(identity, {
        limits,
        instance,
        clock,
        budget: this.#budget,
        streamBudget: this.#streamBudget,
        sendHello: (to) => void this.#tell(this.#hello(to, !to.known), [to.identity]),
        memory: this.#memoryOf(),
        openStreams: (of) => this.#context.openStreams(of),
        streamsRaised: (by) => this.#context.streamsRaised(by),
        waitingFor: (credit) => this.#context.waitingFor(credit),
        adopt: (by, sequence) => this.#context.adopt(by, sequence),
        tell: (to, message) => this.#tell(message, [to.identity]),
        report: this.#context.report,
      });
      this.#peers.set(identity, peer);
    }
    return peer;
  }

  /** Says to all that are here that this is a Millrace runtime. */
  sendHellos(): void {
    const here = this.#context.transport.participants();
    for (const identity of here) void this.#tell(this.#hello(this.get(identity), true), [identity]);
  }

  /** Says it again, as what is taken has changed. */
  sendHellosAgain(): void {
    for (const peer of this.#peers.values()) {
      if (peer.known) void this.#tell(this.#hello(peer, false), [peer.identity]);
    }
  }

  /** Resolves when each of them has said hello, or was given the time to. */
  async waitForHellos(identities: readonly string[]): Promise<void> {
    const unknown = identities.filter((identity) => !this.get(identity).known && !this.get(identity).silent);
    if (unknown.length > 0) await Promise.all(unknown.map((identity) => this.#introduce(identity)));
  }

  /** Asks after participants of whom the transport has not heard yet: a Millrace runtime among them makes itself known by its answer. */
  async waitForParticipants(identities: readonly string[]): Promise<void> {
    const { transport } = this.#context;
    if (transport.find === undefined) return;
    for (const identity of identities) void this.#ask(this.get(identity));
    await transport.find(identities);
    const here = new Set(transport.participants());
    for (const identity of identities) if (!here.has(identity)) this.left(identity);
  }

  /** Whether `introduced` would have to wait. */
  haveHellos(identities: readonly string[]): boolean {
    return identities.every((identity) => this.get(identity).known || this.get(identity).silent);
  }

  receive(from: string, payload: Uint8Array): void {
    const message = isUint8Array(payload) ? decodeControl(payload) : undefined;
    if (message === undefined) return; // of a later version, or no message at all
    const peer = this.get(from);
    if (message.kind === "goodbye") {
      if (peer.session.instance === message.instance) this.#retire(peer);
      return;
    }
    if (!peer.acceptInstance(message.instance)) return;
    peer.heardAt = this.#context.clock.now();
    if (message.kind === "hello") {
      const { idleTimeout } = peer.session.hello ?? {};
      peer.noteHello(message);
      if (message.idleTimeout !== idleTimeout) this.#watchAnew(peer);
      if (message.answer) peer.helloAnswers.request();
      this.#resolve(from);
    } else if (message.about === this.#context.instance) {
      if (message.kind === "state") peer.session.noteState(message);
      else {
        peer.session.noteArrived(message.streams);
        this.#context.scheduler.wake();
      }
    }
    if (!peer.known) peer.helloAnswers.request();
  }

  /** A Millrace runtime of which nothing is known yet but that it is one. */
  #ask(peer: Peer): Promise<void> {
    return this.#tell(this.#hello(peer, true), [peer.identity]);
  }

  /** A participant came: a new one, whatever its name. */
  joined(identity: string): void {
    const peer = this.get(identity);
    if (peer.session.instance !== undefined || peer.session.busy) peer.reset();
    peer.silent = false;
    void this.#tell(this.#hello(peer, true), [identity]);
  }

  left(identity: string): void {
    const peer = this.#peers.get(identity);
    if (peer === undefined) return;
    this.#retire(peer);
    this.#peers.delete(identity);
  }

  /** Keeps the streams with a peer alive for as long as there are any. */
  startKeepAlive(peer: Peer): void {
    if (this.#closed || this.#timers.has(peer)) return;
    peer.heardAt = this.#context.clock.now();
    this.#watch(peer);
  }

  #watch(peer: Peer): void {
    const { clock, limits } = this.#context;
    const patience = Math.min(Math.max(MIN_IDLE_TIMEOUT_MS, peer.session.hello?.idleTimeout ?? Infinity), limits.idleTimeout);
    const timer = clock.setTimeout(() => {
      this.#timers.delete(peer);
      if (clock.now() - peer.heardAt >= limits.idleTimeout) peer.session.failOutgoing();
      if (!peer.session.busy) return;
      peer.session.queueAllStates();
      this.#watch(peer);
    }, Math.max(MIN_KEEP_ALIVE_INTERVAL_MS, patience / KEEP_ALIVES_PER_TIMEOUT));
    this.#timers.set(peer, timer);
  }

  /** Its patience is known, or has changed. */
  #watchAnew(peer: Peer): void {
    if (!this.#timers.has(peer)) return;
    this.#context.clock.clearTimeout(this.#timers.get(peer));
    this.#watch(peer);
  }

  /** Stops attending a peer with which nothing is under way, so that no timer keeps a program running. */
  stopKeepAlive(peer: Peer): void {
    if (peer.session.busy) return;
    this.#context.clock.clearTimeout(this.#timers.get(peer));
    this.#timers.delete(peer);
  }

  /** Says goodbye, with what is still due. */
  close(): void {
    if (this.#closed) return;
    for (const peer of this.#peers.values()) {
      if (!peer.known) continue;
      peer.session.flush();
      void this.#tell({ kind: "goodbye", instance: this.#context.instance }, [peer.identity]);
    }
    this.#closed = true;
    for (const peer of this.#peers.values()) peer.stop();
    for (const timer of this.#timers.values()) this.#context.clock.clearTimeout(timer);
    this.#timers.clear();
    for (const identity of [...this.#waiting.keys()]) this.#resolve(identity);
  }

  #retire(peer: Peer): void {
    peer.reset();
    this.#context.clock.clearTimeout(this.#timers.get(peer));
    this.#timers.delete(peer);
    this.#resolve(peer.identity);
  }

  async #introduce(identity: string): Promise<void> {
    const peer = this.get(identity);
    const first = !this.#waiting.has(identity);
    const wakes = this.#waiting.get(identity) ?? [];
    this.#waiting.set(identity, wakes);
    let timer: unknown;
    const greeted = new Promise<void>((resolve) => void wakes.push(resolve)); // those who wait go on in their order
    const wait = (): void => {
      if (this.#waiting.get(identity) !== wakes) return;
      timer = this.#context.clock.setTimeout(() => {
        if (!peer.known) peer.silent = true;
        this.#resolve(identity);
      }, HELLO_WAIT);
    };
    // It counts from when the question was on its way: a room's first packet waits until its connection is made.
    if (first) void this.#ask(peer).then(wait);
    await greeted;
    this.#context.clock.clearTimeout(timer);
  }

  #resolve(identity: string): void {
    const wakes = this.#waiting.get(identity) ?? [];
    this.#waiting.delete(identity);
    for (const wake of wakes) wake();
  }

  #hello(peer: Peer, answer: boolean): Hello {
    const { limits, instance, encodings } = this.#context;
    const streamWindow = Math.min(limits.receiveWindow, this.#context.smallestWindow());
    const credit = peer.session.receiveWindow.limit;
    const { idleTimeout } = limits;
    return { kind: "hello", instance, streamWindow, credit, idleTimeout, ...peer.counts.tellLimit(), encodings, answer };
  }

  /** Resolves when it was sent, or could not be. */
  async #tell(message: ControlMessage, to: readonly string[]): Promise<void> {
    if (this.#closed) return;
    // A lost message is told again; the transport itself says that it has ended.
    await this.#context.scheduler.sendUrgent({ type: "control", payload: encodeControl(message) }, to).catch(() => {});
  }
}
