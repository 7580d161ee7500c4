import { inBrackets, StreamError } from "../../errors.ts";
import { REASON_LENGTH } from "../../protocol/wire/control.ts";
import type { Destination } from "../../protocol/flow/destination.ts";
import { CLAIM_WAIT } from "../../protocol/flow/destinations.ts";
import { SharedFrame } from "../../protocol/wire/shared_frame.ts";
import { runningDigest } from "../../protocol/digest.ts";
import { SEGMENT_HEADROOM, STREAM_CHUNK_SIZE } from "../../protocol/constants.ts";
import { encodeFrameHeader, type FrameHeader } from "../../protocol/wire/frames.ts";
import { encodeTrailer, type TrailerExtension } from "../../protocol/wire/extension.ts";
import type { ChunkPacket, HeaderPacket, Packet, TrailerPacket } from "../../protocol/wire/packets.ts";
import { shouldYield, yieldToEventLoop } from "../../common/event_loop.ts";
import type { EncodedSegment } from "../../workers/codec.ts";
import { HeldStream } from "./held_stream.ts";
import type { QueuedSegment } from "./send_queue.ts";
import type { OutgoingStream } from "./stream.ts";

/** Starts the pump of a stream. Returns the call that stops it. */
export function startPump(stream: OutgoingStream): () => void {
  const pump = new OutgoingPump(stream);
  stream.pumped = pump.run(); // never rejects: `run` reports errors
  return () => pump.stop();
}

/** Moves a stream from its send queue to the transport: header, chunks within credit, trailer. */
class OutgoingPump {
  readonly #stream: OutgoingStream;
  readonly #digest = runningDigest();
  /** Packets of a short stream; undefined if packets are sent at once. */
  #held: HeldStream | undefined;
  /** Whether the header was given to the scheduler. */
  #announced = false;
  /** Ends the wait for a segment that the codec is encoding. */
  #leave: (() => void) | undefined;

  constructor(stream: OutgoingStream) {
    this.#stream = stream;
  }

  async run(): Promise<void> {
    const stream = this.#stream;
    const { queue, spec } = stream;
    try {
      const header: HeaderPacket = { type: "header", header: spec.header };
      if (spec.inline) this.#held = new HeldStream(spec, header);
      else await this.#give(header);
      stream.noteOpened();
      for (let queued = await this.#shift(); queued !== undefined; queued = await this.#shift()) {
        try {
          const encoded = queued.encoded instanceof Promise ? await this.#unlessStopped(queued.encoded) : queued.encoded;
          stream.waitsFor = "transport";
          if (encoded === undefined || stream.ended) break;
          await (stream.framed ? this.#sendFrame(queued, encoded) : this.#sendPlain(queued, encoded));
        } finally {
          queue.release(queued);
        }
      }
      if (!stream.ended) await this.#finish();
    } catch (error) {
      if (!stream.ended) stream.actor.send({ type: "pump.failed", error: asStreamError(error, stream.streamId) });
    } finally {
      if (stream.error !== undefined && this.#announced) await this.#abort(stream.error);
    }
  }

  /** Ends the wait for the codec, as the stream has ended. The loop still awaits a packet being sent, whose bytes must not change before. */
  stop(): void {
    this.#leave?.();
  }

  #shift(): Promise<QueuedSegment | undefined> {
    this.#stream.waitsFor = "data";
    return this.#stream.queue.shift();
  }

  /** Waits for an encoded segment; undefined once the pump is stopped, as reading a file may hang. */
  async #unlessStopped(encoded: Promise<EncodedSegment>): Promise<EncodedSegment | undefined> {
    this.#stream.waitsFor = "codec";
    try {
      return await new Promise((resolve, reject) => {
        this.#leave = () => resolve(undefined);
        encoded.then(resolve, reject);
      });
    } finally {
      this.#leave = undefined;
    }
  }

  async #sendFrame(queued: QueuedSegment, { bytes, digest, compressed }: EncodedSegment): Promise<void> {
    if (bytes === 0) return;
    if (this.#stream.offset > 0 && shouldYield()) await yieldToEventLoop();
    const { memory, start } = compressed === undefined ? queued : { memory: new Uint8Array(compressed), start: SEGMENT_HEADROOM };
    const payload = compressed === undefined ? bytes : compressed.byteLength - SEGMENT_HEADROOM;
    const stream = this.#stream;
    await this.#credit(bytes);
    if (stream.ended) return;
    const { offset } = stream;
    const encoding = compressed === undefined ? "raw" : stream.spec.compression?.encoding ?? "raw";
    const frame: FrameHeader = { offset, length: bytes, encoding, digest, payload };
    this.#digest.update(digest);
    const shared = compressed === undefined ? this.#share(queued, frame) : undefined;
    if (shared !== undefined) {
      stream.noteSent(bytes);
      return await shared;
    }
    const header = encodeFrameHeader(frame);
    const begin = start - header.length;
    memory.set(header, begin);
    const end = start + payload;
    /** Plain bytes up to an index in the frame, in proportion to the payload; the frame header counts as 0. */
    const plainTo = (at: number): number => Math.floor(Math.max(0, at - start) * (bytes / payload));
    if (stream.spec.bulk) {
      for (let at = begin, next = at; at < end && !stream.ended; at = next) {
        next = Math.min(at + stream.chunkBytes, end);
        await this.#carry(memory.subarray(at, next), (next === end ? bytes : plainTo(next)) - plainTo(at));
      }
      return;
    }
    const { chunkSize } = stream.context;
    // A frame's chunks are given to the transport together, as awaiting each costs more than sending it. Once the last promise has
    // resolved, the transport has room again.
    const sends: Promise<void>[] = [];
    for (let at = begin; at < end; at += chunkSize) {
      const next = Math.min(at + chunkSize, end);
      const sent = this.#giveChunk(memory.subarray(at, next), (next === end ? bytes : plainTo(next)) - plainTo(at));
      if (sent !== undefined && sent !== sends.at(-1)) sends.push(sent);
    }
    await (sends.length === 1 ? sends[0] : Promise.all(sends));
  }

  /** Hands a frame over within the process; undefined if it must go in chunks, as one must whose segment is mostly empty. */
  #share({ segment, start }: QueuedSegment, frame: FrameHeader): Promise<void> | undefined {
    const { streamId, chunks, spec: { destinations: { names } }, context: { scheduler } } = this.#stream;
    if (segment === undefined || names === undefined || names.length === 0) return undefined;
    if (frame.length <= STREAM_CHUNK_SIZE || 2 * frame.length < segment.bytes.length) return undefined;
    return scheduler.share(new SharedFrame(streamId, chunks, frame, segment, start), names);
  }

  async #sendPlain({ memory, start }: QueuedSegment, { ends }: EncodedSegment): Promise<void> {
    let at = start;
    for (const end of ends) {
      if (this.#stream.offset > 0 && shouldYield()) await yieldToEventLoop(); // never before the trailer: short streams keep their order
      if (this.#stream.ended) return;
      const content = memory.subarray(at, end);
      await this.#credit(content.length);
      if (this.#stream.ended) return;
      this.#digest.update(content);
      await (this.#stream.spec.bulk ? this.#carry(content, content.length) : this.#giveChunk(content, content.length));
      at = end;
    }
  }

  /** Sends a chunk when its turn has come. */
  #carry(content: Uint8Array, bytes: number): Promise<void> {
    const stream = this.#stream;
    const { scheduler, clock } = stream.context;
    return scheduler.scheduleBulk({
      ready: () => {
        const { canSend } = stream;
        if (!canSend) stream.noteBlocked("congestion");
        return canSend;
      },
      start: () => {
        stream.waitsFor = "transport";
        if (stream.ended) return undefined;
        const { destinations } = stream.spec;
        const { names } = destinations;
        destinations.noteSent(content.length, clock.now());
        const sent = names?.length === 0
          ? undefined
          : scheduler.sendNow({ type: "chunk", streamId: stream.streamId, index: stream.chunks, content }, names);
        stream.noteSent(bytes);
        return sent;
      },
    });
  }

  #giveChunk(content: Uint8Array, bytes: number): Promise<void> | undefined {
    const { streamId, chunks: index } = this.#stream;
    const chunk: ChunkPacket = { type: "chunk", streamId, index, content };
    const sent = this.#held === undefined ? this.#give(chunk) : this.#held.add(chunk);
    this.#stream.noteSent(bytes);
    return sent;
  }

  /** Waits until the credit of every receiver that sets the pace covers `bytes` more bytes; then uses the credit. */
  async #credit(bytes: number): Promise<void> {
    const stream = this.#stream;
    const { offset, deliveries, spec: { destinations } } = stream;
    const drop = (destination: Destination): void => deliveries.drop(destination, "incomplete");
    for (;;) {
      const blocker = destinations.blocker(offset, offset + bytes, stream.context.clock.now(), drop);
      if (stream.ended) return;
      if (blocker === undefined) {
        stream.waitsFor = "transport";
        return destinations.charge(offset + bytes);
      }
      stream.noteBlocked(blocker.claim === "pending" ? "claim" : "credit", blocker.identity);
      await stream.receiversChanged(blocker.claim === "pending" && !destinations.isTargeted ? CLAIM_WAIT : Infinity);
    }
  }

  async #finish(): Promise<void> {
    const stream = this.#stream;
    const { reason = "", attributes = {} } = stream.queue.closeOptions ?? {};
    const digest = this.#digest.finish();
    stream.deliveries.awaitReceipts(digest); // before the trailer: a receipt may arrive before `send` resolves
    const trailer = this.#trailer(reason, attributes, { bytes: stream.offset, chunks: stream.chunks, digest });
    const packets = this.#held?.packets(trailer, digest, stream.context.limits.headerBytes) ?? [trailer];
    stream.waitsFor = "transport";
    for (const packet of packets) await this.#give(packet);
    stream.waitsFor = "receipt";
    if (!stream.ended) stream.actor.send({ type: "trailer.sent" });
  }

  /** Sends a trailer with the error's code. */
  async #abort(error: StreamError): Promise<void> {
    const { wireCode: code, offset: bytes, chunks } = this.#stream;
    const reason = error.reason?.slice(0, REASON_LENGTH) || code; // never the message, which may contain private data
    try {
      await this.#give(this.#trailer(reason, {}, { bytes, chunks, digest: "", code }));
    } catch {
      // The transport has ended: the receivers' transports tell them.
    }
  }

  #trailer(reason: string, attributes: Readonly<Record<string, string>>, extension: TrailerExtension): TrailerPacket {
    const { streamId, spec } = this.#stream;
    const isMillrace = spec.extension !== undefined;
    return { type: "trailer", streamId, reason, attributes: encodeTrailer(attributes, isMillrace ? extension : undefined) };
  }

  #give(packet: Packet): Promise<void> | undefined {
    const { spec, context } = this.#stream;
    const { names } = spec.destinations;
    if (names?.length === 0) return undefined; // no receiver is left: an empty list must never become a broadcast
    if (packet.type === "header") {
      this.#announced = true;
      this.#stream.noteHeaderSent();
    }
    return context.scheduler.sendUrgent(packet, names);
  }
}

export function asStreamError(error: unknown, streamId?: string): StreamError {
  if (error instanceof StreamError) return error;
  const about = streamId === undefined ? "" : `: stream id is "${streamId}"`;
  return new StreamError("transport", `Cannot send the stream as the transport failed${inBrackets(error)}${about}`, {
    cause: error,
    ...(streamId === undefined ? {} : { streamId }),
  });
}
