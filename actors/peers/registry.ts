import { type ControlMessage, decodeControl, encodeControl, type Hello } from "../../protocol/wire/control.ts";
import type { ControlPacket } from "../../protocol/wire/packets.ts";
import { ReceiveBudget } from "../../protocol/flow/credit.ts";
import { receiverMemory, type SenderMemory } from "../../protocol/memory_account.ts";
import { isUint8Array } from "../../common/realms.ts";
import { StreamBudget, type StreamCredit } from "../../protocol/flow/stream_credit.ts";
import { randomId } from "../../common/platform.ts";
import type { Clock } from "../../common/clock.ts";
import type { Limits } from "../../protocol/limits.ts";
import type { Transport } from "../../transports/transport.ts";
import type { Deadlines } from "../common/deadlines.ts";
import type { PacketScheduler } from "../common/packet_scheduler.ts";
import { Handshake } from "./handshake.ts";
import { KeepAlive } from "./keep_alive.ts";
import { Peer } from "./peer.ts";
import type { Report } from "../outgoing/refusals.ts";

/** Environment of the peers: transport, limits, clock and calls of the runtime. */
export interface PeersContext {
  readonly transport: Transport;
  readonly scheduler: PacketScheduler;
  readonly clock: Required<Clock>;
  readonly deadlines: Deadlines;
  readonly limits: Limits;
  /** Frame encodings that this runtime reads. */
  readonly encodings: readonly string[];
  /** Smallest window of a handler, in bytes. */
  smallestWindow(): number;
  /** Number of open streams from a sender. */
  openStreams(identity: string): number;
  /** Wakes waiting sends, as a receiver has raised its stream limit or has left. */
  streamsRaised(peer: Peer): void;
  /** Called when the session with an instance, or with another SDK, has ended. */
  sessionEnded(peer: Peer): void;
  /** Number of sends that wait for stream credit. */
  waitingFor(credit: StreamCredit): number;
  /** Reports an error that no call rejects with. */
  readonly report: Report;
  /** See {@linkcode PeerContext.adopt}. */
  adopt(peer: Peer, sequence: number): boolean;
}

/** The other participants of the room. */
export class Peers {
  readonly keepAlive: KeepAlive;
  readonly #context: PeersContext;
  readonly #peers = new Map<string, Peer>();
  readonly #handshake: Handshake;
  readonly #budget: ReceiveBudget;
  readonly #streamBudget: StreamBudget;
  readonly #memoryOf: () => SenderMemory;
  #instance: string = randomId();
  #closed = false;

  constructor(context: PeersContext) {
    const { clock, deadlines, limits } = context;
    this.#context = context;
    this.keepAlive = new KeepAlive(clock, deadlines, limits.idleTimeout);
    this.#handshake = new Handshake({
      clock,
      limits,
      instance: () => this.#instance,
      encodings: context.encodings,
      smallestWindow: () => context.smallestWindow(),
      tell: (peer, message) => this.#tell(peer, message),
    });
    this.#budget = new ReceiveBudget(limits);
    this.#streamBudget = new StreamBudget(limits);
    this.#memoryOf = receiverMemory(limits);
  }

  /** Instance of this runtime's present life. */
  get instance(): string {
    return this.#instance;
  }

  get all(): Iterable<Peer> {
    return this.#peers.values();
  }

  find(identity: string): Peer | undefined {
    return this.#peers.get(identity);
  }

  /** Returns the peer with an identity; creates an unknown one. */
  get(identity: string): Peer {
    let peer = this.#peers.get(identity);
    if (peer === undefined) {
      const { limits, clock } = this.#context;
      peer = new Peer(identity, {
        limits,
        instance: () => this.#instance,
        clock,
        budget: this.#budget,
        streamBudget: this.#streamBudget,
        memory: this.#memoryOf(),
        answerHello: (to) => this.#handshake.answer(to),
        openStreams: (of) => this.#context.openStreams(of),
        streamsRaised: (by) => this.#context.streamsRaised(by),
        sessionEnded: (ended) => this.#context.sessionEnded(ended),
        waitingFor: (credit) => this.#context.waitingFor(credit),
        adopt: (by, sequence) => this.#context.adopt(by, sequence),
        tell: (to, message) => this.#tell(to, message),
        report: this.#context.report,
      });
      this.#peers.set(identity, peer);
    }
    return peer;
  }

  /** Sends a hello to all present participants. */
  sendHellos(): void {
    for (const identity of this.#context.transport.participants()) void this.#handshake.ask(this.get(identity));
  }

  /** Sends an updated hello to all Millrace runtimes, as windows have changed. */
  sendHellosAgain(): void {
    for (const peer of this.#peers.values()) if (peer.isMillrace) this.#handshake.repeat(peer);
  }

  /** Whether each participant has sent a hello, or the wait for its hello has timed out. */
  haveHellos(identities: readonly string[]): boolean {
    return this.#handshake.isDone(identities.map((identity) => this.get(identity)));
  }

  /** Resolves when each participant has sent a hello, or the wait for its hello has timed out. */
  async waitForHellos(identities: readonly string[]): Promise<void> {
    await this.#handshake.wait(identities.map((identity) => this.get(identity)));
  }

  /** Waits until the transport has looked for unlisted participants. Sends each a hello, which a Millrace runtime answers. */
  async waitForParticipants(identities: readonly string[]): Promise<void> {
    const { transport } = this.#context;
    if (transport.find === undefined) return;
    for (const identity of identities) void this.#handshake.ask(this.get(identity));
    await transport.find(identities);
    const here = new Set(transport.participants());
    for (const identity of identities) if (!here.has(identity)) this.left(identity);
  }

  /** Handles a control packet. */
  receive(from: string, payload: Uint8Array): void {
    const message = isUint8Array(payload) ? decodeControl(payload) : undefined;
    if (message === undefined) return; // of a later version, or invalid
    const peer = this.get(from);
    if (message.kind === "goodbye") {
      if (peer.session.instance === message.instance) this.#endSession(peer);
      return;
    }
    if (!peer.acceptInstance(message.instance)) return;
    peer.heardAt = this.#context.clock.now();
    if (message.kind === "hello") this.#noteHello(peer, message);
    else if (message.about === this.#instance) {
      if (message.kind === "state") peer.session.noteState(message);
      else {
        peer.session.noteArrived(message.streams);
        this.#context.scheduler.wake();
      }
    }
    if (!peer.isMillrace) peer.helloAnswers.request();
  }

  /** A participant came, as a new one even if its identity is known. */
  joined(identity: string): void {
    const peer = this.get(identity);
    if (peer.session.instance !== undefined || peer.session.busy) peer.endSession();
    peer.session.expectHello();
    void this.#handshake.ask(peer);
  }

  /** Begins a new life, as the others may have been told that this participant had left. All streams end. */
  renew(): void {
    this.#instance = randomId();
    for (const identity of [...this.#peers.keys()]) this.left(identity);
    this.sendHellos();
  }

  left(identity: string): void {
    const peer = this.#peers.get(identity);
    if (peer === undefined) return;
    this.#endSession(peer);
    this.#peers.delete(identity);
  }

  /** Sends the states that are due, then goodbyes. */
  close(): void {
    if (this.#closed) return;
    for (const peer of this.#peers.values()) {
      if (!peer.isMillrace) continue;
      peer.session.flush();
      void this.#tell(peer, { kind: "goodbye", instance: this.#instance });
    }
    this.#closed = true;
    for (const peer of this.#peers.values()) peer.stop();
    this.keepAlive.close();
    this.#handshake.close();
  }

  #noteHello(peer: Peer, hello: Hello): void {
    const { idleTimeout } = peer.session.hello ?? {};
    peer.session.noteHello(hello);
    if (hello.idleTimeout !== idleTimeout) this.keepAlive.adapt(peer);
    if (hello.answer) peer.helloAnswers.request();
    this.#handshake.settle(peer);
  }

  #endSession(peer: Peer): void {
    peer.endSession();
    this.keepAlive.forget(peer);
    this.#handshake.settle(peer);
  }

  /** Sends a message. Resolves when the message was sent or dropped. */
  async #tell(peer: Peer, message: ControlMessage): Promise<void> {
    if (this.#closed) return;
    // A lost message is repeated later; the transport reports its own end.
    const packet: ControlPacket = { type: "control", payload: encodeControl(message) };
    await this.#context.scheduler.sendUrgent(packet, [peer.identity]).catch(() => {});
  }
}
