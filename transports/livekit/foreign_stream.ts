import { MAX_CHUNK_SIZE } from "../../protocol/constants.ts";
import type { ChunkPacket, Packet, StreamHeader, TrailerPacket } from "../../protocol/wire/packets.ts";
import type { ReaderEvents } from "./sdk/events.ts";

/**
 * Limit of packets that are held until the SDK's reader shows the form of a stream, in bytes. The reader's events come before the packets, or
 * in the same turn.
 */
const MAX_UNDECIDED_BYTES = 256 * 1024;

/**
 * Place of a stream's bytes. "packets": in the packets, as on the hub. "reader": in the SDK's reader only, as the packets are compressed or
 * the header has the contents. "ended": no packet is delivered any more.
 */
type Form = "undecided" | "packets" | "reader" | "ended";

interface ReaderEnd {
  readonly attributes: Readonly<Record<string, string>>;
  readonly error: string | undefined;
}

/** Effects of a stream of another SDK. */
export interface ForeignContext {
  /** Delivers a packet to the runtime. */
  deliver(packet: Packet): void;
  /** Notes that the stream has ended. With `hasLatePackets` more packets of the stream may come, and must be dropped. */
  ended(hasLatePackets: boolean): void;
  /** Calls `done` when late packets would have come; returns a function that cancels the call. */
  later(done: () => void): () => void;
}

/**
 * Stream of another SDK. The SDK reports each stream twice: by packets, and by a reader. The packets decide how the stream ends, as the
 * reader ends without an error when the connection does. Only a stream within one header, without chunks and trailer, ends by the reader.
 */
export class ForeignStream implements ReaderEvents {
  readonly #header: StreamHeader;
  readonly #context: ForeignContext;
  #form: Form = "undecided";
  /** Packets that came before the form was known. */
  #packets: (ChunkPacket | TrailerPacket)[] = [];
  #packetBytes = 0;
  #decoded: Uint8Array[] = [];
  #hasPackets = false;
  #trailer: TrailerPacket | undefined;
  #readerEnd: ReaderEnd | undefined;
  /** Index of the next chunk to deliver. */
  #next = 0;
  #cancelWait: (() => void) | undefined;

  constructor(header: StreamHeader, context: ForeignContext) {
    this.#header = header;
    this.#context = context;
    context.deliver({ type: "header", header });
  }

  /** Takes a packet of the stream, whose bytes may change afterwards. */
  packet(packet: ChunkPacket | TrailerPacket): void {
    this.#hasPackets = true;
    if (packet.type === "trailer") this.#trailer = packet;
    if (this.#form === "packets") return this.#deliver(packet);
    if (this.#form === "reader") return this.#endByReader();
    if (this.#form === "ended") return;
    this.#packets.push(packet.type === "chunk" ? { ...packet, content: packet.content.slice() } : packet);
    this.#packetBytes += packet.type === "chunk" ? packet.content.byteLength : 0;
    this.#decide();
  }

  chunk(content: Uint8Array): void {
    if (this.#form === "reader") return this.#deliverDecoded(content);
    if (this.#form !== "undecided") return;
    this.#decoded.push(content);
    this.#decide();
  }

  end(attributes: Readonly<Record<string, string>>, error: string | undefined): void {
    this.#readerEnd = { attributes, error };
    if (this.#form === "reader") return this.#endByReader();
    if (this.#form === "undecided") return this.#decide();
    // Only the reader knows which packets should be encrypted. The packets show all other errors.
    if (this.#form === "packets" && /encryption/i.test(error ?? "")) this.#fail();
  }

  /** Stops delivering packets. */
  stop(): void {
    this.#form = "ended";
    this.#cancelWait?.();
    this.#packets = [];
    this.#decoded = [];
  }

  #decide(): void {
    const [first] = this.#packets;
    const [decoded] = this.#decoded;
    const end = this.#readerEnd;
    if (first === undefined) {
      if (end === undefined) return;
      // A whole stream came within its header. Otherwise its packets are late, or the connection has ended; an empty stream may be either.
      const isWhole = end.error === undefined && decoded !== undefined && this.#decodedBytes === this.#header.totalSize;
      if (isWhole) this.#readDecoded();
      else this.#wait(() => this.#readDecoded());
    } else if (first.type === "trailer") {
      if (decoded === undefined) this.#readPackets();
      else this.#readDecoded();
    } else if (first.index !== 0) this.#readPackets();
    else if (decoded !== undefined) {
      if (isEqual(decoded, first.content)) this.#readPackets();
      else this.#readDecoded();
    } else if (end !== undefined) this.#decideByEnd(end, first.content);
    else if (this.#packetBytes > MAX_UNDECIDED_BYTES) this.#fail();
  }

  /** Decides a stream whose first chunk is here, and whose reader has ended without content. */
  #decideByEnd({ error }: ReaderEnd, first: Uint8Array): void {
    const { totalSize = Infinity } = this.#header;
    // Plain text may be cut within a code point, or be longer than announced. Compressed text is decoded to whole code points.
    if (error?.startsWith("UTF-8") === true || (error !== undefined && first.byteLength > totalSize)) this.#readPackets();
    else this.#readDecoded();
  }

  get #decodedBytes(): number {
    return this.#decoded.reduce((bytes, content) => bytes + content.byteLength, 0);
  }

  #readPackets(): void {
    this.#cancelWait?.();
    this.#form = "packets";
    this.#decoded = [];
    for (const packet of this.#packets.splice(0)) this.#deliver(packet);
  }

  #readDecoded(): void {
    this.#cancelWait?.();
    this.#form = "reader";
    this.#packets = [];
    for (const content of this.#decoded.splice(0)) this.#deliverDecoded(content);
    this.#endByReader();
  }

  #endByReader(): void {
    if (this.#readerEnd === undefined) return;
    const { attributes, error } = this.#readerEnd;
    const trailer = this.#trailer;
    if (trailer !== undefined && (error === undefined || trailer.reason !== "")) this.#deliver(trailer);
    else if (error !== undefined) {
      if (trailer !== undefined) this.#fail();
      else this.#wait(() => this.#fail()); // the trailer may hold the reason
    } else if (!this.#hasPackets) {
      const added = Object.entries(attributes).filter(([key, value]) => this.#header.attributes[key] !== value);
      this.#deliver(
        { type: "trailer", streamId: this.#header.streamId, reason: "", attributes: Object.fromEntries(added) },
        true,
      );
    }
  }

  #deliverDecoded(content: Uint8Array): void {
    const { streamId } = this.#header;
    for (let at = 0; at < content.byteLength; at += MAX_CHUNK_SIZE) {
      this.#deliver({ type: "chunk", streamId, index: this.#next, content: content.subarray(at, at + MAX_CHUNK_SIZE) });
    }
  }

  #deliver(packet: ChunkPacket | TrailerPacket, hasLatePackets = false): void {
    if (packet.type === "chunk") this.#next = Math.max(this.#next, packet.index + 1);
    else this.#finish(hasLatePackets);
    this.#context.deliver(packet);
  }

  /** Ends the stream as incomplete: a chunk is missing. */
  #fail(): void {
    const { streamId } = this.#header;
    const index = this.#next + 1;
    this.#finish(true);
    this.#context.deliver({ type: "chunk", streamId, index, content: new Uint8Array() });
    this.#context.deliver({ type: "trailer", streamId, reason: "", attributes: {} });
  }

  #finish(hasLatePackets: boolean): void {
    this.stop();
    this.#context.ended(hasLatePackets);
  }

  #wait(done: () => void): void {
    this.#cancelWait ??= this.#context.later(() => {
      this.#cancelWait = undefined;
      if (this.#form !== "ended") done();
    });
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at]);
}
