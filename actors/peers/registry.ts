import { type ControlMessage, decodeControl, encodeControl, type Hello } from "../../protocol/wire/control.ts";
import type { ControlPacket } from "../../protocol/wire/packets.ts";
import { ReceiveBudget } from "../../protocol/flow/credit.ts";
import { receiverMemory, type SenderMemory } from "../../protocol/memory_account.ts";
import { isUint8Array } from "../../common/realms.ts";
import { StreamBudget, type StreamCredit } from "../../protocol/flow/stream_credit.ts";
import type { Clock } from "../../common/clock.ts";
import type { Limits } from "../../protocol/limits.ts";
import type { Transport } from "../../transports/transport.ts";
import type { PacketScheduler } from "../common/packet_scheduler.ts";
import { Handshake } from "./handshake.ts";
import { KeepAlive } from "./keep_alive.ts";
import { Peer } from "./peer.ts";
import type { Report } from "../outgoing/refusals.ts";

/** Environment of the peers: their runtime's transport, limits and clock, and calls on it. */
export interface PeersContext {
  readonly transport: Transport;
  readonly scheduler: PacketScheduler;
  readonly clock: Required<Clock>;
  readonly limits: Limits;
  readonly instance: string;
  /** Encodings of frames that are read here. */
  readonly encodings: readonly string[];
  /** The smallest window of a handler, in bytes. */
  smallestWindow(): number;
  /** Streams of a sender that are open here. */
  openStreams(identity: string): number;
  /** A receiver takes more streams, or is gone. */
  streamsRaised(peer: Peer): void;
  /** Sends that wait until a receiver takes more streams. */
  waitingFor(credit: StreamCredit): number;
  /** Reports an error that no call rejects with. */
  readonly report: Report;
  /** See {@linkcode PeerContext.adopt}. */
  adopt(peer: Peer, sequence: number): boolean;
}

/** All other participants of the room, as this runtime knows them. */
export class Peers {
  readonly keepAlive: KeepAlive;
  readonly #context: PeersContext;
  readonly #peers = new Map<string, Peer>();
  readonly #handshake: Handshake;
  readonly #budget: ReceiveBudget;
  readonly #streamBudget: StreamBudget;
  readonly #memoryOf: () => SenderMemory;
  #closed = false;

  constructor(context: PeersContext) {
    const { clock, limits } = context;
    this.#context = context;
    this.keepAlive = new KeepAlive(clock, limits.idleTimeout);
    this.#handshake = new Handshake({
      clock,
      limits,
      instance: context.instance,
      encodings: context.encodings,
      smallestWindow: () => context.smallestWindow(),
      tell: (peer, message) => this.#tell(peer, message),
    });
    this.#budget = new ReceiveBudget(limits);
    this.#streamBudget = new StreamBudget(limits);
    this.#memoryOf = receiverMemory(limits);
  }

  get all(): Iterable<Peer> {
    return this.#peers.values();
  }

  find(identity: string): Peer | undefined {
    return this.#peers.get(identity);
  }

  /** The participant with an identity, created if it was unknown. */
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
        memory: this.#memoryOf(),
        answerHello: (to) => this.#handshake.answer(to),
        openStreams: (of) => this.#context.openStreams(of),
        streamsRaised: (by) => this.#context.streamsRaised(by),
        waitingFor: (credit) => this.#context.waitingFor(credit),
        adopt: (by, sequence) => this.#context.adopt(by, sequence),
        tell: (to, message) => this.#tell(to, message),
        report: this.#context.report,
      });
      this.#peers.set(identity, peer);
    }
    return peer;
  }

  /** Sends a hello to all participants that are here. */
  sendHellos(): void {
    for (const identity of this.#context.transport.participants()) void this.#handshake.ask(this.get(identity));
  }

  /** Sends the hello again to all Millrace runtimes, as windows have changed. */
  sendHellosAgain(): void {
    for (const peer of this.#peers.values()) if (peer.isMillrace) this.#handshake.repeat(peer);
  }

  /** Whether no participant has to be waited for: each has said hello, or was given the time to. */
  haveHellos(identities: readonly string[]): boolean {
    return this.#handshake.isDone(identities.map((identity) => this.get(identity)));
  }

  /** Resolves when each participant has said hello, or was given the time to. */
  async waitForHellos(identities: readonly string[]): Promise<void> {
    await this.#handshake.wait(identities.map((identity) => this.get(identity)));
  }

  /** Waits for news of participants that the transport has not listed. A Millrace runtime among them answers the hello. */
  async waitForParticipants(identities: readonly string[]): Promise<void> {
    const { transport } = this.#context;
    if (transport.find === undefined) return;
    for (const identity of identities) void this.#handshake.ask(this.get(identity));
    await transport.find(identities);
    const here = new Set(transport.participants());
    for (const identity of identities) if (!here.has(identity)) this.left(identity);
  }

  /** Takes a control packet. */
  receive(from: string, payload: Uint8Array): void {
    const message = isUint8Array(payload) ? decodeControl(payload) : undefined;
    if (message === undefined) return; // of a later version, or no message at all
    const peer = this.get(from);
    if (message.kind === "goodbye") {
      if (peer.session.instance === message.instance) this.#endSession(peer);
      return;
    }
    if (!peer.acceptInstance(message.instance)) return;
    peer.heardAt = this.#context.clock.now();
    if (message.kind === "hello") this.#noteHello(peer, message);
    else if (message.about === this.#context.instance) {
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
    if (peer.session.instance !== undefined || peer.session.busy) peer.reset();
    peer.session.expectHello();
    void this.#handshake.ask(peer);
  }

  left(identity: string): void {
    const peer = this.#peers.get(identity);
    if (peer === undefined) return;
    this.#endSession(peer);
    this.#peers.delete(identity);
  }

  /** Says goodbye, after what is still due. */
  close(): void {
    if (this.#closed) return;
    for (const peer of this.#peers.values()) {
      if (!peer.isMillrace) continue;
      peer.session.flush();
      void this.#tell(peer, { kind: "goodbye", instance: this.#context.instance });
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
    peer.reset();
    this.keepAlive.forget(peer);
    this.#handshake.settle(peer);
  }

  /** Resolves when the message was sent, or cannot be. */
  async #tell(peer: Peer, message: ControlMessage): Promise<void> {
    if (this.#closed) return;
    // A lost message is repeated later; the transport reports its own end.
    const packet: ControlPacket = { type: "control", payload: encodeControl(message) };
    await this.#context.scheduler.sendUrgent(packet, [peer.identity]).catch(() => {});
  }
}
