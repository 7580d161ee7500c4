import { inBrackets, StreamError } from "../../errors.ts";
import { onAbort, unlessAborted } from "../../common/abort.ts";
import type { StreamCredit } from "../../protocol/flow/stream_credit.ts";
import type { Transport } from "../../transports/transport.ts";
import type { FileAccess } from "../../files/file_access.ts";
import type { StreamContext } from "../common/context.ts";
import { type ActorPlace, StreamActor } from "../common/stream_actor.ts";
import { outgoingMachine } from "../outgoing/machine.ts";
import { startPump } from "../outgoing/pump.ts";
import { destinationOf, type MissingReceiver, type Opening, planStream } from "../outgoing/plan.ts";
import { OutgoingStream } from "../outgoing/stream.ts";
import type { Peer } from "../peers/peer.ts";
import { OpeningQueue } from "../outgoing/opening_queue.ts";
import type { Peers } from "../peers/registry.ts";
import type { RuntimeWatch } from "../stats/watch.ts";
import { Admission, type Admitted, type Applicant, tooManyStreams } from "./admission.ts";

/** Open streams above which further ones take turns in time slices. */
const MANY_STREAMS = 4;

/** Opens the outgoing streams of a runtime. */
export class OutgoingStreamManager {
  readonly #context: StreamContext;
  readonly #peers: Peers;
  readonly #transport: Transport;
  readonly #place: ActorPlace;
  readonly #watch: RuntimeWatch;
  readonly #openings: OpeningQueue;
  readonly #admission: Admission;
  readonly #open = new Map<string, OutgoingStream | undefined>();
  /** Open broadcasts, by sequence number: each function adds a peer to one. */
  readonly #adopting = new Map<number, (peer: Peer) => boolean>();
  #sequence = 0;
  /** Creates the error of a stream that was not open when the manager was closed; undefined before. */
  #closed: ((streamId: string) => StreamError) | undefined;
  readonly #ending = new AbortController();

  constructor(
    context: StreamContext,
    peers: Peers,
    transport: Transport,
    place: ActorPlace,
    watch: RuntimeWatch,
  ) {
    this.#context = context;
    this.#peers = peers;
    this.#transport = transport;
    this.#place = place;
    this.#watch = watch;
    this.#openings = new OpeningQueue({ clock: context.clock, stallTimeout: context.limits.stallTimeout });
    this.#admission = new Admission(peers, transport, this.#openings);
  }

  /** Wakes waiting sends, as a receiver has raised its stream limit or has left. */
  streamsRaised(peer: Peer): void {
    this.#openings.wake();
    if (this.#openings.waitingFor(peer.counts.credit) > 0) peer.session.queueCounts();
  }

  /** Number of sends that wait for stream credit. */
  waitingFor(credit: StreamCredit): number {
    return this.#openings.waitingFor(credit);
  }

  get files(): FileAccess {
    return this.#context.files;
  }

  /** Does work that precedes a stream, until the stream is aborted: a file system may hang. */
  async beforehand<T>(work: () => Promise<T>, signal: AbortSignal | undefined, streamId: string): Promise<T> {
    this.#assertWanted(signal, streamId);
    const value = await unlessAborted(work(), [signal, this.#ending.signal]);
    this.#assertWanted(signal, streamId);
    return value as T;
  }

  /** Open streams. */
  get open(): readonly OutgoingStream[] {
    return [...this.#open.values()].filter((stream) => stream !== undefined);
  }

  /** Opens a stream: starts its actor, which sends the header. Rejects before anything is sent. */
  start(opening: Opening): Promise<OutgoingStream> {
    return this.#watch.send(opening, (traced) => this.#start(traced));
  }

  async #start(opening: Opening): Promise<OutgoingStream> {
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
      const applicant: Applicant = {
        streamId,
        wanted: options.destinationIdentities,
        signal: options.signal,
        isOneOfMany: this.#open.size > MANY_STREAMS,
        withdrawn: () => this.#withdrawn(options.signal, streamId),
      };
      const admitted = this.#admission.admitNow(applicant) ?? await this.#admit(opening, applicant);
      const stream = this.#createOrLeave(opening, admitted);
      this.#open.set(streamId, stream);
      this.#watch.openedOutgoing(stream);
      stream.actor.start();
      return stream;
    } catch (error) {
      this.#open.delete(streamId);
      throw error;
    } finally {
      this.#watch.waitedForReceivers(streamId);
    }
  }

  #admit(opening: Opening, applicant: Applicant): Promise<Admitted> {
    this.#watch.waitsForReceivers(opening);
    return this.#admission.admit(applicant);
  }

  /** Aborts open streams with `error`. Streams not yet open reject with `unopened`; the default has the code "closed". */
  close(error: (stream: OutgoingStream) => StreamError, unopened: (streamId: string) => StreamError = runtimeClosed): void {
    for (const stream of this.open) stream.actor.send({ type: "abort.requested", error: error(stream) });
    this.#open.clear();
    this.#closed ??= unopened;
    this.#ending.abort();
    this.#openings.close();
  }

  #createOrLeave(opening: Opening, admitted: Admitted): OutgoingStream {
    try {
      this.#assertWanted(opening.options.signal, opening.description.info.streamId);
      return this.#create(opening, admitted);
    } catch (error) {
      this.#openings.leave(admitted.credits);
      throw error;
    }
  }

  #create(opening: Opening, { credits, here, absent, stalled }: Admitted): OutgoingStream {
    const { signal } = opening.options;
    const sequence = this.#sequence++;
    const peers = here.map((identity) => this.#peers.get(identity));
    const missing: readonly MissingReceiver[] = [
      ...absent.map((identity) => ({ identity, outcome: "disconnected" } as const)),
      ...stalled.map((identity) => ({ identity, outcome: "timeout" } as const)),
    ];
    const spec = planStream(opening, peers, missing, {
      sequence,
      instance: this.#peers.instance,
      limits: this.#context.limits,
      encodings: this.#context.codec.encodings,
      isPaced: this.#context.scheduler.isPaced,
      hasUnlisted: this.#transport.hasUnlisted === true,
    });
    let isHeaderSent = false;
    const stream = new OutgoingStream(spec, this.#context, {
      startPump,
      notify: (about, destination) => this.#peers.find(destination.identity)?.session.queueSendingState(about),
      headerSent: () => {
        isHeaderSent = true;
        for (const credit of credits) credit.open();
      },
      blocked: (blocked, wait, identity) => this.#watch.blocked(blocked, wait, identity),
      ended: (ended) => {
        this.#watch.endedOutgoing(ended);
        if (!isHeaderSent) this.#openings.leave(credits);
        leave?.();
        if (this.#open.get(ended.streamId) === ended) this.#open.delete(ended.streamId);
        this.#adopting.delete(sequence);
        for (const peer of peers) {
          peer.session.endOutgoing(ended);
          this.#peers.keepAlive.stop(peer);
        }
      },
    });
    const { description: { info: { topic }, kind }, destinations, extension } = spec;
    const input = { streamId: stream.streamId, topic, kind, effects: stream };
    stream.actor = new StreamActor(outgoingMachine, input, this.#place, () => stream.stopped());
    const abort = (): void => stream.actor.send({ type: "abort.requested", error: abortedBy(signal, stream.streamId) });
    const leave = signal && onAbort(signal, abort);
    for (const peer of peers) {
      peer.session.outgoing.set(sequence, stream); // an unknown participant may turn out to be a Millrace runtime
      if (peer.isMillrace) this.#peers.keepAlive.start(peer);
    }
    if (extension !== undefined && destinations.names === undefined) {
      this.#adopting.set(sequence, (peer) => {
        if (destinations.find(peer.identity) !== undefined) return false; // of an earlier instance
        stream.deliveries.add(destinationOf(peer, false));
        peers.push(peer);
        peer.session.outgoing.set(sequence, stream);
        this.#peers.keepAlive.start(peer);
        return true;
      });
    }
    if (!spec.confirm) this.#reportMissing(missing, stream);
    return stream;
  }

  /**
   * Adds a peer to an open broadcast that it has received, although it was unknown when the broadcast began. False if there is no such
   * stream.
   */
  adopt(peer: Peer, sequence: number): boolean {
    return this.#adopting.get(sequence)?.(peer) ?? false;
  }

  /** Reports named receivers that are absent, for a stream without receipts. */
  #reportMissing(missing: readonly MissingReceiver[], stream: OutgoingStream): void {
    const { streamId } = stream;
    const { topic } = stream.spec.description.info;
    for (const { identity, outcome } of missing) {
      const error = outcome === "timeout" ? tooManyStreams([identity], streamId) : notHere(identity, streamId);
      this.#context.report(error, { streamId, topic, identity });
    }
  }

  #assertWanted(signal: AbortSignal | undefined, streamId: string): void {
    const error = this.#withdrawn(signal, streamId);
    if (error !== undefined) throw error;
  }

  /** Error of a stream that was aborted, or whose runtime is closed. */
  #withdrawn(signal: AbortSignal | undefined, streamId: string): StreamError | undefined {
    return signal?.aborted === true ? abortedBy(signal, streamId) : this.#closed?.(streamId);
  }
}

function runtimeClosed(streamId: string): StreamError {
  return new StreamError("closed", `Cannot open the stream as the runtime is closed: stream id is "${streamId}"`, { streamId });
}

function notHere(identity: string, streamId: string): StreamError {
  const message = `Cannot send the stream to "${identity}" as it is not here: stream id is "${streamId}"`;
  return new StreamError("disconnected", message, { streamId, identity });
}

function abortedBy(signal: AbortSignal | undefined, streamId: string): StreamError {
  const message = `Cannot go on with the stream as its signal was aborted${
    inBrackets(signal?.reason)
  }: stream id is "${streamId}"`;
  return new StreamError("aborted", message, { cause: signal?.reason, streamId });
}
