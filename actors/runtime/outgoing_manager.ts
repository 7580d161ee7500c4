import { type AnyActorRef, createActor } from "xstate";
import { inBrackets, StreamError } from "../../errors.ts";
import { onAbort, unlessAborted } from "../../protocol/abort.ts";
import type { StreamCredit } from "../../protocol/flow/stream_credit.ts";
import type { Transport } from "../../transports/transport.ts";
import { ActorIds } from "../common/actor_ids.ts";
import type { FileAccess, StreamContext } from "../common/context.ts";
import { outgoingStream } from "../outgoing/machine.ts";
import { startPump } from "../outgoing/pump.ts";
import { destinationOf, type MissingReceiver, type Opening, planStream } from "../outgoing/plan.ts";
import { OutgoingStream } from "../outgoing/stream.ts";
import type { Peer } from "../peers/peer.ts";
import { OpeningQueue, type OpeningTurn } from "../outgoing/opening_queue.ts";
import type { Peers } from "../peers/registry.ts";

/** Receivers of a stream that is about to open. */
interface Admitted {
  /** Credit taken for it, one stream at each receiver that states a limit. */
  readonly credits: readonly StreamCredit[];
  readonly here: readonly string[];
  /** Receivers that took no stream for as long as a send may wait. */
  readonly stalled: readonly string[];
}

/** Opens the outgoing streams of a runtime. */
export class OutgoingStreamManager {
  readonly #context: StreamContext;
  readonly #peers: Peers;
  readonly #transport: Transport;
  readonly #instance: string;
  readonly #parent: () => AnyActorRef;
  readonly #openings: OpeningQueue;
  readonly #ids = new ActorIds("out");
  readonly #open = new Map<string, OutgoingStream | undefined>();
  /** Open streams to everybody, by sequence number: what makes a receiver of a peer. */
  readonly #adopting = new Map<number, (peer: Peer) => boolean>();
  #sequence = 0;
  /** Makes the error of a stream that was about to be opened when the manager was closed. */
  #closed: ((streamId: string) => StreamError) | undefined;
  readonly #ending = new AbortController();

  constructor(context: StreamContext, peers: Peers, transport: Transport, instance: string, parent: () => AnyActorRef) {
    this.#context = context;
    this.#peers = peers;
    this.#transport = transport;
    this.#instance = instance;
    this.#parent = parent;
    this.#openings = new OpeningQueue({ clock: context.clock, stallTimeout: context.limits.stallTimeout });
  }

  /** Receivers may take more streams, or be gone: sends that wait for them go on. */
  streamsRaised(peer: Peer): void {
    this.#openings.wake();
    if (this.#openings.waitingFor(peer.counts.credit) > 0) peer.session.queueCounts();
  }

  /** Sends that wait until a receiver takes more streams. */
  waitingFor(credit: StreamCredit): number {
    return this.#openings.waitingFor(credit);
  }

  get files(): FileAccess {
    return this.#context.files;
  }

  /** Waits for what a stream needs before it is opened, but for as long as the stream is wanted: a file system may hang. */
  async beforehand<T>(work: () => Promise<T>, signal: AbortSignal | undefined, streamId: string): Promise<T> {
    this.#assertWanted(signal, streamId);
    const value = await unlessAborted(work(), [signal, this.#ending.signal]);
    this.#assertWanted(signal, streamId);
    return value as T;
  }

  /** Streams that have not ended. */
  get open(): readonly OutgoingStream[] {
    return [...this.#open.values()].filter((stream) => stream !== undefined);
  }

  /** Opens a stream: its actor runs, its header is on its way. Throws before anything is sent. */
  async start(opening: Opening): Promise<OutgoingStream> {
    const { description, options } = opening;
    const { streamId } = description.info;
    this.#assertWanted(options.signal, streamId);
    if (this.#open.has(streamId)) {
      throw new StreamError("duplicate-stream", `Cannot open the stream as its id is in use: stream id is "${streamId}"`, {
        streamId,
      });
    }
    this.#open.set(streamId, undefined);
    try {
      const wanted = options.destinationIdentities;
      const targets = wanted === undefined ? this.#transport.participants() : [...new Set(wanted)];
      const missing = wanted === undefined ? [] : this.#missing(targets);
      if (missing.length > 0) {
        await this.#seek(missing, options.signal);
        this.#assertWanted(options.signal, streamId);
      }
      const admitted = this.#tryAdmit(opening, targets) ?? await this.#admit(opening, targets);
      const stream = this.#createOrLeave(opening, targets, admitted);
      this.#open.set(streamId, stream);
      stream.actor.start();
      return stream;
    } catch (error) {
      this.#open.delete(streamId);
      throw error;
    }
  }

  /** Ends all that is open, and all that is about to be: by `unopened`, by default "closed". */
  close(error: (stream: OutgoingStream) => StreamError, unopened: (streamId: string) => StreamError = runtimeClosed): void {
    for (const stream of this.open) stream.actor.send({ type: "abort.requested", error: error(stream) });
    this.#open.clear();
    this.#closed ??= unopened;
    this.#ending.abort();
    this.#openings.close();
  }

  #here(identities: readonly string[]): readonly string[] {
    const participants = new Set(this.#transport.participants());
    return identities.filter((identity) => participants.has(identity));
  }

  #missing(identities: readonly string[]): readonly string[] {
    const here = new Set(this.#here(identities));
    return identities.filter((identity) => !here.has(identity));
  }

  /** Gives news of participants the time to come, but for as long as the send is wanted. */
  async #seek(identities: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    let leave: (() => void) | undefined;
    const aborted = new Promise<void>((resolve) => {
      leave = signal && onAbort(signal, resolve);
    });
    try {
      await Promise.race([this.#peers.waitForParticipants(identities), aborted]);
    } finally {
      leave?.();
    }
  }

  /** Receivers that are here. Throws "disconnected" if they were named and none is. */
  #present(targets: readonly string[], streamId: string, named: boolean): readonly string[] {
    const here = this.#here(targets);
    const [missing] = targets;
    if (!named || here.length > 0) return here;
    throw new StreamError(
      "disconnected",
      `Cannot open the stream as none of its destinations is here, such as "${missing ?? ""}": stream id is "${streamId}"`,
      { streamId, ...(missing === undefined ? {} : { identity: missing }) },
    );
  }

  /** The receivers of a stream, if each has introduced itself and takes one more: then the stream is counted at each of them. */
  #tryAdmit({ description, options }: Opening, targets: readonly string[]): Admitted | undefined {
    const here = this.#present(targets, description.info.streamId, options.destinationIdentities !== undefined);
    if (!this.#peers.haveHellos(here)) return undefined;
    const credits = this.#counting(here).map((peer) => peer.counts.credit);
    return this.#openings.tryEnter(credits) ? { credits, here, stalled: [] } : undefined;
  }

  /** Waits until each receiver has introduced itself and takes one more stream; counts the stream at each that does. */
  async #admit(opening: Opening, targets: readonly string[]): Promise<Admitted> {
    const { description: { info: { streamId } }, options } = opening;
    const named = options.destinationIdentities !== undefined;
    for (;;) {
      const here = this.#present(targets, streamId, named);
      if (!this.#peers.haveHellos(here)) await this.#peers.waitForHellos(here);
      else {
        const peers = this.#counting(here);
        const turn = await this.#waitForTurn(peers, options.signal);
        if (turn !== undefined && this.#isValid(turn, options.signal)) {
          const stalled = peers.filter((peer) => turn.stalled.has(peer.counts.credit)).map(({ identity }) => identity);
          if (named && stalled.length === here.length) throw tooManyStreams(here, streamId);
          return { credits: turn.credits, here: here.filter((identity) => !stalled.includes(identity)), stalled };
        }
        if (turn !== undefined) this.#openings.leave(turn.credits);
      }
      this.#assertWanted(options.signal, streamId);
      const admitted = this.#tryAdmit(opening, targets);
      if (admitted !== undefined) return admitted;
    }
  }

  /** Receivers that count streams: another SDK states no limit. */
  #counting(here: readonly string[]): Peer[] {
    return here.map((identity) => this.#peers.get(identity)).filter((peer) => peer.known);
  }

  /** The receivers that keep the send waiting are asked for streams, as long as it waits. */
  async #waitForTurn(peers: readonly Peer[], signal: AbortSignal | undefined): Promise<OpeningTurn | undefined> {
    const turn = this.#openings.enter(peers.map((peer) => peer.counts.credit), signal);
    for (const peer of peers) {
      if (peer.counts.credit.available) continue;
      peer.session.queueCounts();
      this.#peers.startKeepAlive(peer);
    }
    const taken = await turn;
    for (const peer of peers) this.#peers.stopKeepAlive(peer);
    return taken;
  }

  /** Whether the turn's receivers are all still there, and the send is still wanted. */
  #isValid({ credits }: OpeningTurn, signal: AbortSignal | undefined): boolean {
    return signal?.aborted !== true && this.#closed === undefined && credits.every((credit) => !credit.ended);
  }

  #createOrLeave(opening: Opening, targets: readonly string[], admitted: Admitted): OutgoingStream {
    try {
      this.#assertWanted(opening.options.signal, opening.description.info.streamId);
      return this.#create(opening, targets, admitted);
    } catch (error) {
      this.#openings.leave(admitted.credits);
      throw error;
    }
  }

  #create(opening: Opening, targets: readonly string[], { credits, here, stalled }: Admitted): OutgoingStream {
    const { signal } = opening.options;
    const sequence = this.#sequence++;
    const peers = here.map((identity) => this.#peers.get(identity));
    const missing = targets.filter((identity) => !here.includes(identity)).map((identity): MissingReceiver => ({
      identity,
      outcome: stalled.includes(identity) ? "timeout" : "disconnected",
    }));
    const spec = planStream(opening, peers, missing, {
      sequence,
      instance: this.#instance,
      limits: this.#context.limits,
      encodings: this.#context.codec.encodings,
      isPaced: this.#context.scheduler.isPaced,
      hasUnlisted: this.#transport.hasUnlisted === true,
    });
    const id = this.#ids.take();
    let isHeaderSent = false;
    const stream = new OutgoingStream(spec, this.#context, {
      start: startPump,
      notify: (about, destination) => this.#peers.find(destination.identity)?.session.queueSendingState(about),
      headerSent: () => {
        isHeaderSent = true;
        for (const credit of credits) credit.open();
      },
      ended: (ended) => {
        if (!isHeaderSent) this.#openings.leave(credits);
        this.#ids.giveBack(id);
        leave?.();
        if (this.#open.get(ended.streamId) === ended) this.#open.delete(ended.streamId);
        this.#adopting.delete(sequence);
        for (const peer of peers) {
          peer.session.endOutgoing(ended);
          this.#peers.stopKeepAlive(peer);
        }
      },
    });
    const { description: { info: { topic }, kind }, destinations, extension } = spec;
    const input = { streamId: stream.streamId, topic, kind, effects: stream };
    stream.actor = createActor(outgoingStream, { input, parent: this.#parent(), id });
    const abort = (): void => stream.actor.send({ type: "abort.requested", error: abortedBy(signal, stream.streamId) });
    const leave = signal && onAbort(signal, abort);
    for (const peer of peers) {
      peer.session.outgoing.set(sequence, stream); // an unknown one may turn out to be a Millrace runtime, and ask about it
      if (peer.known) this.#peers.startKeepAlive(peer);
    }
    if (extension !== undefined && destinations.names === undefined) {
      this.#adopting.set(sequence, (peer) => {
        if (destinations.find(peer.identity) !== undefined) return false; // of an earlier instance
        stream.deliveries.add(destinationOf(peer, false));
        peers.push(peer);
        peer.session.outgoing.set(sequence, stream);
        this.#peers.startKeepAlive(peer);
        return true;
      });
    }
    if (!spec.confirm) this.#reportMissing(missing, stream);
    return stream;
  }

  /**
   * A runtime says that it receives an open stream that was not sent to it by name: one to everybody, which it got though this side did not
   * know of it yet. From now on it counts as the others do. False if there is no such stream.
   */
  adopt(peer: Peer, sequence: number): boolean {
    return this.#adopting.get(sequence)?.(peer) ?? false;
  }

  /** Named receivers that are not here are told of by receipts, or else by this. */
  #reportMissing(missing: readonly MissingReceiver[], stream: OutgoingStream): void {
    const { streamId } = stream;
    const { topic } = stream.spec.description.info;
    for (const { identity, outcome } of missing) {
      const error = outcome === "timeout" ? tooManyStreams([identity], streamId) : notHere(identity, streamId);
      this.#context.report(error, { streamId, topic, identity });
    }
  }

  /** Throws if the runtime is closed, or the sender wants the stream no more. */
  #assertWanted(signal: AbortSignal | undefined, streamId: string): void {
    if (signal?.aborted === true) throw abortedBy(signal, streamId);
    if (this.#closed !== undefined) throw this.#closed(streamId);
  }
}

function runtimeClosed(streamId: string): StreamError {
  return new StreamError("closed", `Cannot open the stream as the runtime is closed: stream id is "${streamId}"`, { streamId });
}

function notHere(identity: string, streamId: string): StreamError {
  const message = `Cannot send the stream to "${identity}" as it is not here: stream id is "${streamId}"`;
  return new StreamError("disconnected", message, { streamId, identity });
}

function tooManyStreams(here: readonly string[], streamId: string): StreamError {
  const [identity = ""] = here;
  const message =
    `Cannot open the stream as its receiver takes no more streams: receiver is "${identity}", stream id is "${streamId}"`;
  return new StreamError("timeout", message, { streamId, identity });
}

function abortedBy(signal: AbortSignal | undefined, streamId: string): StreamError {
  const message = `Cannot go on with the stream as its signal was aborted${
    inBrackets(signal?.reason)
  }: stream id is "${streamId}"`;
  return new StreamError("aborted", message, { cause: signal?.reason, streamId });
}
