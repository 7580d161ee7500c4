import { StreamError } from "../../errors.ts";
import { decodeHeader, type OpenedStream } from "../../protocol/wire/header.ts";
import { headerBytes, overLimits } from "../../protocol/wire/header_limits.ts";
import type { Packet, StreamHeader } from "../../protocol/wire/packets.ts";
import { SharedFrame } from "../../protocol/wire/shared_frame.ts";
import { isUint8Array } from "../../common/realms.ts";
import { isCount } from "../../common/shapes.ts";
import { readInlineContent } from "../../protocol/wire/inline_content.ts";
import type { Transport } from "../../transports/transport.ts";
import type { Segment } from "../../workers/segments.ts";
import { type ActorPlace, StreamActor } from "../common/stream_actor.ts";
import type { StreamContext } from "../common/context.ts";
import { incomingMachine } from "../incoming/machine.ts";
import { IncomingStream } from "../incoming/stream.ts";
import type { Peer } from "../peers/peer.ts";
import type { Peers } from "../peers/registry.ts";
import type { Fault } from "../incoming/fault.ts";
import type { RuntimeWatch } from "../stats/watch.ts";
import { ByteReader } from "../readers/byte_reader.ts";
import { TextReader } from "../readers/text_reader.ts";
import {
  type ByteStreamHandler,
  type HandlerOptions,
  HandlerRegistry,
  type HandlerUse,
  type HandleStream,
  type TextStreamHandler,
} from "../readers/handlers.ts";
import type { RequestHandler } from "../requests/request.ts";
import { type RecordHandlerOptions, RecordReader, type RecordStreamHandler } from "../records/reader.ts";

/** Receives the packets of a runtime and offers the streams to its handlers. */
export class IncomingStreamManager {
  readonly text: HandlerRegistry = new HandlerRegistry();
  readonly bytes: HandlerRegistry = new HandlerRegistry();
  readonly #context: StreamContext;
  readonly #peers: Peers;
  readonly #transport: Pick<Transport, "handler">;
  readonly #place: ActorPlace;
  readonly #watch: RuntimeWatch;
  readonly #requestHandlerOf: (stream: IncomingStream) => HandleStream | undefined;
  readonly #open = new Set<IncomingStream>();
  /** Number of open streams per sender, across its instances. */
  readonly #openOf = new Map<string, number>();

  /** `handlerOf` finds the call for a stream that belongs to a request. */
  constructor(
    context: StreamContext,
    peers: Peers,
    transport: Pick<Transport, "handler">,
    place: ActorPlace,
    watch: RuntimeWatch,
    handlerOf: (stream: IncomingStream) => HandleStream | undefined,
  ) {
    this.#requestHandlerOf = handlerOf;
    this.#context = context;
    this.#peers = peers;
    this.#transport = transport;
    this.#place = place;
    this.#watch = watch;
  }

  get smallestWindow(): number {
    return Math.min(this.text.smallestWindow, this.bytes.smallestWindow);
  }

  /** Number of open streams from a sender, across its instances. */
  openStreams(identity: string): number {
    return this.#openOf.get(identity) ?? 0;
  }

  /** Open streams. */
  get open(): readonly IncomingStream[] {
    return [...this.#open];
  }

  receive(packet: Packet, from: string): void {
    switch (packet.type) {
      case "header":
        return this.#header(packet.header, from);
      case "chunk": {
        const stream = this.#find(from, packet.streamId);
        if (stream !== undefined && isCount(packet.index) && isUint8Array(packet.content)) {
          stream.chunk(packet.index, packet.content);
          if (stream.acknowledged) this.#peers.find(from)?.session.acknowledge(stream, packet.content.length);
        }
        return;
      }
      case "trailer": {
        const stream = this.#find(from, packet.streamId);
        if (stream !== undefined && typeof packet.reason === "string") stream.trailer(packet.reason, packet.attributes);
        return;
      }
      case "control":
        return this.#peers.receive(from, packet.payload);
    }
  }

  /** Receives a frame in its sender's memory. */
  receiveShared(frame: SharedFrame, from: string): void {
    if (frame instanceof SharedFrame) this.#find(from, frame.streamId)?.chunk(frame.index, frame as SharedFrame<Segment>);
  }

  registerText(topic: string, handler: TextStreamHandler, options: HandlerOptions | undefined): void {
    this.#register("text", topic, "text stream", handler, (stream, sender) => handler(new TextReader(stream), sender), options);
  }

  registerBytes(topic: string, handler: ByteStreamHandler, options: HandlerOptions | undefined): void {
    this.#register("bytes", topic, "byte stream", handler, (stream, sender) => handler(new ByteReader(stream), sender), options);
  }

  registerRecords(topic: string, handler: RecordStreamHandler<never>, options: RecordHandlerOptions | undefined): void {
    const handle: HandleStream = (stream, sender) => handler(new RecordReader<never>(stream, options?.schema), sender);
    this.#register("text", topic, "record stream", handler, handle, options);
  }

  /** Offers the topic's unclaimed streams to a handler registered with the transport. */
  transportRegistered(kind: "text" | "bytes", topic: string): void {
    this.#registered(kind, topic, undefined);
  }

  /** Removes all handlers and ends all open streams. */
  close(why: string): void {
    this.text.clear();
    this.bytes.clear();
    for (const stream of this.open) stream.refuse({ code: "disconnected", why });
  }

  registerRequests(topic: string, handler: RequestHandler, handle: HandleStream): void {
    this.#register("text", topic, "request", handler, handle, undefined);
  }

  #register(
    kind: "text" | "bytes",
    topic: string,
    use: HandlerUse,
    handler: unknown,
    handle: HandleStream,
    options: object | undefined,
  ): void {
    this.#registered(kind, topic, this[kind].add(topic, use, handler, handle, options).window);
  }

  #registered(kind: "text" | "bytes", topic: string, window: number | undefined): void {
    if (window !== undefined && window < this.#context.limits.receiveWindow) this.#peers.sendHellosAgain();
    for (const stream of this.#open) {
      if (stream.description.kind === kind && stream.topic === topic && !stream.isClaimed) this.#claim(stream);
    }
  }

  #find(from: string, streamId: string): IncomingStream | undefined {
    return this.#peers.find(from)?.incoming.get(streamId);
  }

  #header(header: StreamHeader, from: string): void {
    const opened = decodeHeader(header);
    if (opened === undefined) {
      const message = `Cannot receive a stream as its header cannot be read: sender is "${from}"`;
      return this.#context.report(new StreamError("corrupt", message, { identity: from }), { identity: from });
    }
    const peer = this.#peers.get(from);
    const { extension } = opened;
    if (extension !== undefined && (!peer.acceptInstance(extension.instance) || !peer.session.isNew(extension.sequence))) return;
    const same = peer.incoming.get(opened.description.info.streamId);
    if (same !== undefined && extension === undefined) return; // a header that came twice
    if (same !== undefined && !same.cameWhole) same.refuse({ code: "incomplete", why: "another with its id was opened" });
    const inlined = extension === undefined ? undefined : readInlineContent(header, extension, opened.description.kind);
    const stream = this.#offer(opened, inlined?.header ?? header, peer);
    if (inlined === undefined) return;
    const { content, digest } = inlined.whole;
    const bytes = content.length;
    if (bytes > 0) stream.chunk(0, content);
    stream.noteTrailer({ reason: "", attributes: {}, extension: { bytes, chunks: bytes > 0 ? 1 : 0, digest } });
  }

  #offer(opened: OpenedStream, header: StreamHeader, peer: Peer): IncomingStream {
    const { limits } = this.#context;
    const { session } = peer;
    const open = this.#openOf.get(peer.identity) ?? 0;
    const isFull = open >= limits.streamsPerSender || this.#open.size >= limits.streams;
    const stream: IncomingStream = new IncomingStream(peer.identity, opened, {
      stream: this.#context,
      shared: opened.extension === undefined ? undefined : session.receiveCredit.window,
      memory: opened.extension === undefined ? peer.memory.sdk : peer.memory.millrace,
      notify: () => session.queueReceivingState(stream),
      consumed: () => session.receiveCredit.update(),
      widened: () => session.updateWindow(stream),
      spareWindow: () => session.receiveCredit.spare,
      unhandled: () => this.#report(stream, stream.error),
      ended: () => {
        this.#watch.endedIncoming(stream);
        this.#open.delete(stream);
        this.#count(peer.identity, -1);
        peer.endIncoming(stream);
        this.#peers.find(peer.identity)?.counts.grow();
        this.#peers.keepAlive.stop(peer);
      },
    });
    const { streamId, topic, description: { kind } } = stream;
    const input = { streamId, topic, kind, sender: peer.identity, effects: stream };
    stream.actor = new StreamActor(incomingMachine, input, this.#place, () => stream.stopped());
    this.#open.add(stream);
    this.#count(peer.identity, 1);
    peer.addIncoming(stream);
    this.#watch.openedIncoming(stream);
    this.#peers.keepAlive.start(peer);
    stream.actor.start();
    const fault = this.#limitFault(stream, header, isFull);
    if (fault !== undefined) {
      stream.refuse(fault, this.#handles(stream));
      this.#report(stream, stream.error); // no reader rejects with this error
    } else if (this.#handles(stream)) this.#claim(stream);
    else if (stream.isMillrace) session.queueReceivingState(stream); // "unclaimed", so that a broadcast does not wait
    return stream;
  }

  /** Fault of a new stream that exceeds the limits. */
  #limitFault(stream: IncomingStream, header: StreamHeader, isFull: boolean): Fault | undefined {
    const { limits } = this.#context;
    const { size = 0 } = stream.description.info;
    const over = overLimits(header, limits);
    if (over !== undefined) return { code: "refused", why: over };
    if (stream.content.reserve(2 * headerBytes(header)) !== undefined) {
      return { code: "refused", why: "what its sender has sent fills its memory here" };
    }
    if (isFull) return { code: "refused", why: "too many streams are open" };
    if (size > limits.streamBytes) return { code: "too-large", why: `its ${size} bytes are more than ${limits.streamBytes}` };
    return undefined;
  }

  #count(identity: string, change: 1 | -1): void {
    const count = (this.#openOf.get(identity) ?? 0) + change;
    if (count > 0) this.#openOf.set(identity, count);
    else this.#openOf.delete(identity);
  }

  #handles(stream: IncomingStream): boolean {
    const { topic, description: { kind } } = stream;
    return this.#requestHandlerOf(stream) !== undefined || this[kind].get(topic) !== undefined ||
      this.#transport.handler?.(kind, topic) !== undefined;
  }

  #claim(stream: IncomingStream): void {
    const ofRequest = this.#requestHandlerOf(stream);
    const registration = this[stream.description.kind].get(stream.topic);
    const handle = ofRequest ?? registration?.handle;
    if (handle === undefined) return this.#handOver(stream);
    const sender = { identity: stream.senderIdentity, transportIdentity: stream.from };
    this.#start(stream, ofRequest === undefined ? registration?.window : undefined, () => handle(stream, sender));
  }

  /** Gives a stream without a handler in the runtime to the transport's handler. */
  #handOver(stream: IncomingStream): void {
    const { kind } = stream.description;
    const handler = this.#transport.handler?.(kind, stream.topic);
    if (handler === undefined) return;
    const reader = kind === "text" ? new TextReader(stream) : new ByteReader(stream);
    this.#start(stream, undefined, () => handler(reader, stream.from));
  }

  #start(stream: IncomingStream, window: number | undefined, handle: () => void | Promise<void>): void {
    stream.actor.send({ type: "handler.found", window, start: () => void this.#run(stream, handle) });
  }

  /** Calls a handler. Its exception ends its stream only. */
  async #run(stream: IncomingStream, handle: () => void | Promise<void>): Promise<void> {
    await Promise.resolve(); // the handler runs after the packet was handled
    try {
      await this.#watch.receive(stream, handle);
      stream.unread.handled();
    } catch (error) {
      if (!stream.ended) {
        const failure = stream.failure("cancelled", "its handler failed", "its handler failed");
        stream.actor.send({ type: "cancel.requested", error: failure });
      }
      this.#report(stream, error);
    }
  }

  #report(stream: IncomingStream, error: unknown): void {
    this.#context.report(error, { streamId: stream.streamId, topic: stream.topic, identity: stream.from });
  }
}
