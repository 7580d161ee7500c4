import { inBrackets, StreamError } from "../../errors.ts";
import { REASON_LENGTH } from "../../protocol/wire/control.ts";
import { CLAIM_WAIT } from "../../protocol/flow/destinations.ts";
import { runningDigest } from "../../protocol/wire/digest.ts";
import { SEGMENT_HEADROOM } from "../../protocol/constants.ts";
import { encodeFrameHeader } from "../../protocol/wire/frames.ts";
import { encodeTrailer } from "../../protocol/wire/header.ts";
import type { Packet, TrailerPacket } from "../../protocol/wire/packets.ts";
import { inlineContent } from "../../protocol/wire/inline_content.ts";
import { shouldYield, yieldToEventLoop } from "../../event_loop.ts";
import type { EncodedSegment } from "../../workers/codec.ts";
import type { QueuedSegment } from "./send_queue.ts";
import type { OutgoingEvent } from "./machine.ts";
import type { OutgoingStream } from "./stream.ts";

/** Starts the pump of a stream, and returns the call that stops it. */
export function startPump(stream: OutgoingStream, report: (event: OutgoingEvent) => void): () => void {
  const pump = new OutgoingPump(stream, report);
  stream.pumped = pump.run(); // never rejects: it reports
  return () => pump.stop();
}

/** Moves a stream from its send queue to the transport: header, chunks as far as credit goes, trailer. */
class OutgoingPump {
  readonly #stream: OutgoingStream;
  readonly #report: (event: OutgoingEvent) => void;
  readonly #digest = runningDigest();
  /** Packets not sent yet of a stream that may go in one packet. */
  readonly #held: Packet[] = [];
  #holding: boolean;
  /** Digest of the whole stream, once its last segment was taken from the queue. */
  #finalDigest: string | undefined;
  #stopped = false;
  /** Ends the wait for a segment that the codec is at work on. */
  #leave: (() => void) | undefined;

  constructor(stream: OutgoingStream, report: (event: OutgoingEvent) => void) {
    this.#stream = stream;
    this.#report = report;
    this.#holding = stream.spec.whole;
  }

  async run(): Promise<void> {
    const { queue, spec } = this.#stream;
    try {
      await this.#send({ type: "header", header: spec.header });
      this.#stream.noteOpened();
      for (let queued = await queue.shift(); queued !== undefined; queued = await queue.shift()) {
        try {
          const encoded = queued.encoded instanceof Promise ? await this.#unlessStopped(queued.encoded) : queued.encoded;
          if (encoded === undefined || this.#stopped) break;
          await (this.#stream.framed ? this.#sendFrame(queued, encoded) : this.#sendPlain(queued, encoded));
        } finally {
          queue.release(queued);
        }
      }
      if (this.#stopped) return;
      await this.#finish();
    } catch (error) {
      if (!this.#stopped) this.#report({ type: "pump.failed", error: asStreamError(error, this.#stream.streamId) });
    } finally {
      if (this.#stream.error !== undefined) await this.#abort(this.#stream.error);
    }
  }

  /** Ends the loop at its next step; what the transport is at work on is waited for, as its bytes must not change before. */
  stop(): void {
    this.#stopped = true;
    this.#leave?.();
    if (this.#stream.ended) return;
    this.#stream.fail(
      new StreamError(
        "aborted",
        `Cannot go on with the stream as its actor was stopped: stream id is "${this.#stream.streamId}"`,
        {
          streamId: this.#stream.streamId,
        },
      ),
    );
  }

  /** Waits for a segment to be encoded; undefined once the pump is stopped, as a file system may hang for longer. */
  async #unlessStopped(encoded: Promise<EncodedSegment>): Promise<EncodedSegment | undefined> {
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
    const { memory, start } = compressed === undefined ? queued : { memory: new Uint8Array(compressed), start: SEGMENT_HEADROOM };
    const payload = compressed === undefined ? bytes : compressed.byteLength - SEGMENT_HEADROOM;
    const stream = this.#stream;
    await this.#credit(bytes);
    if (this.#stopped) return;
    const { offset } = stream;
    const encoding = compressed === undefined ? "raw" : stream.spec.compression?.encoding ?? "raw";
    const header = encodeFrameHeader({ offset, length: bytes, encoding, digest, payload });
    this.#digest.update(digest);
    const begin = start - header.length;
    memory.set(header, begin);
    const end = start + payload;
    /** Plain bytes up to a place in the payload, in proportion: the frame's header, in the smallest chunks, holds none. */
    const plainTo = (at: number): number => Math.floor(Math.max(0, at - start) * (bytes / payload));
    if (stream.spec.bulk) {
      for (let at = begin, next = at; at < end && !this.#stopped; at = next) {
        next = Math.min(at + stream.chunkBytes, end);
        await this.#carry(memory.subarray(at, next), (next === end ? bytes : plainTo(next)) - plainTo(at));
      }
      return;
    }
    const { chunkSize } = stream.context;
    // The chunks of a frame are given to the transport together: to await each would cost more than the chunk. It tells with the last
    // of them, at the latest, when it has room again.
    const sends: Promise<void>[] = [];
    for (let at = begin; at < end; at += chunkSize) {
      const next = Math.min(at + chunkSize, end);
      const sent = this.#giveChunk(memory.subarray(at, next), (next === end ? bytes : plainTo(next)) - plainTo(at));
      if (sent !== undefined && sent !== sends.at(-1)) sends.push(sent);
    }
    await (sends.length === 1 ? sends[0] : Promise.all(sends));
    if (shouldYield()) await yieldToEventLoop();
  }

  async #sendPlain({ memory, start }: QueuedSegment, { ends }: EncodedSegment): Promise<void> {
    let at = start;
    for (const end of ends) {
      if (this.#stopped) return;
      const content = memory.subarray(at, end);
      await this.#credit(content.length);
      if (this.#stopped) return;
      this.#digest.update(content);
      await (this.#stream.spec.bulk ? this.#carry(content, content.length) : this.#giveChunk(content, content.length));
      at = end;
      if (shouldYield()) await yieldToEventLoop();
    }
  }

  /** Gives a chunk to the transport when it is its turn. */
  #carry(content: Uint8Array, bytes: number): Promise<void> {
    const stream = this.#stream;
    const { scheduler, clock } = stream.context;
    return scheduler.scheduleBulk({
      ready: () => stream.canSend,
      start: () => {
        if (this.#stopped || stream.ended) return undefined;
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
    const { streamId, chunks } = this.#stream;
    const sent = this.#send({ type: "chunk", streamId, index: chunks, content });
    this.#stream.noteSent(bytes);
    return sent;
  }

  /** Waits until every receiver that is waited for can take so many bytes more. */
  async #credit(bytes: number): Promise<void> {
    const stream = this.#stream;
    const { destinations } = stream.spec;
    const { offset } = stream;
    const leaveOut = (destination: Parameters<OutgoingStream["drop"]>[0]): void => stream.drop(destination, "incomplete");
    for (;;) {
      const blocker = destinations.blocker(offset, offset + bytes, stream.context.clock.now(), leaveOut);
      if (this.#stopped) return;
      if (blocker === undefined) return destinations.charge(offset + bytes);
      await stream.blocked(blocker.claim === "pending" && !destinations.isTargeted ? CLAIM_WAIT : Infinity);
    }
  }

  async #finish(): Promise<void> {
    const stream = this.#stream;
    const { reason = "", attributes = {} } = stream.queue.closeOptions ?? {};
    const extension = { bytes: stream.offset, chunks: stream.chunks, digest: this.#digest.finish() };
    this.#finalDigest = extension.digest;
    stream.awaitReceipts(extension.digest); // before the trailer: a receipt may be here before the transport says that it was sent
    await this.#send({
      type: "trailer",
      streamId: stream.streamId,
      reason,
      attributes: encodeTrailer(attributes, stream.spec.extension === undefined ? undefined : extension),
    });
    if (!this.#stopped) this.#report({ type: "trailer.sent" });
  }

  /** Tells the receivers that the stream will not be whole, if they know of it. */
  async #abort(error: StreamError): Promise<void> {
    const stream = this.#stream;
    if (!stream.announced) return;
    const extension = { bytes: stream.offset, chunks: stream.chunks, digest: "", code: stream.wireCode };
    const trailer: Packet = {
      type: "trailer",
      streamId: stream.streamId,
      reason: error.reason?.slice(0, REASON_LENGTH) || stream.wireCode, // never the message: it may name what is only ours to know
      attributes: encodeTrailer({}, stream.spec.extension === undefined ? undefined : extension),
    };
    try {
      await this.#send(trailer);
    } catch {
      // The transport is gone, and the receivers with it: they learn it from theirs.
    }
  }

  #send(packet: Packet): Promise<void> | undefined {
    if (!this.#holding) return this.#give(packet);
    if (packet.type !== "trailer") {
      this.#held.push(packet.type === "chunk" ? { ...packet, content: packet.content.slice() } : packet);
      return undefined;
    }
    return this.#release(packet);
  }

  /**
   * Sends what was held: in one packet if it is whole, else one by one, with what ends it. Those who are not known are no Millrace runtimes:
   * if it goes to them too, all of it follows.
   */
  async #release(trailer: TrailerPacket): Promise<void> {
    this.#holding = false;
    const held = this.#held.splice(0);
    const packed = this.#pack(held);
    const forAll = this.#stream.spec.destinations.names === undefined;
    const packets = packed === undefined ? [...held, trailer] : forAll ? [packed, ...held.slice(1), trailer] : [packed];
    for (const packet of packets) await this.#give(packet);
  }

  #pack(held: readonly Packet[]): Packet | undefined {
    const { spec, context } = this.#stream;
    const contents = held.flatMap((packet) => packet.type === "chunk" ? [packet.content] : []);
    const digest = this.#finalDigest;
    if (spec.extension === undefined || digest === undefined || contents.length > 1) return undefined;
    const whole = { content: contents[0] ?? new Uint8Array(), digest };
    const header = inlineContent(spec.header, spec.extension, spec.description.kind, whole, context.limits.headerBytes);
    return header === undefined ? undefined : { type: "header", header };
  }

  #give(packet: Packet): Promise<void> | undefined {
    const { names } = this.#stream.spec.destinations;
    if (names?.length === 0) return undefined; // nobody is left, or nobody was there: an empty list must never become a broadcast
    if (packet.type === "header") this.#stream.noteHeaderSent();
    return this.#stream.context.scheduler.sendUrgent(packet, names);
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
