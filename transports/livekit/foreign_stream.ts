import { MAX_CHUNK_SIZE } from "../../protocol/constants.ts";
import type { ChunkPacket, Packet, StreamHeader, TrailerPacket } from "../../protocol/wire/packets.ts";
import type { ReaderEvents } from "./sdk/events.ts";

/** Bytes of packets held until the SDK's reader shows how they are to be read; its news come before theirs, or within the same turn. */
const MAX_UNDECIDED_BYTES = 256 * 1024;

/**
 * How a stream is read. "packets": they hold its bytes, as on the hub. "reader": only the SDK's reader has them, as they came compressed
 * or within the header. "over": nothing more is told.
 */
type Form = "undecided" | "packets" | "reader" | "over";

interface ReaderEnd {
  readonly attributes: Readonly<Record<string, string>>;
  readonly error: string | undefined;
}

/** Surroundings of a stream of another SDK. */
export interface ForeignContext {
  tell(packet: Packet): void;
  /** Nothing more is told. `strays`: packets of it may still come, and mean nothing. */
  over(strays: boolean): void;
  /** Calls back when packets of which the reader has told already would have come; gives what cancels that. */
  later(done: () => void): () => void;
}

/**
 * A stream of another SDK, which comes twice: by its packets, and by the SDK's reader. Its end is that of its packets, as the reader
 * ends cleanly when the connection does. Only a stream within one header, which has neither chunks nor a trailer, ends by its reader.
 */
export class ForeignStream implements ReaderEvents {
  readonly #header: StreamHeader;
  readonly #context: ForeignContext;
  #form: Form = "undecided";
  /** Packets that came while the form was not known. */
  #packets: (ChunkPacket | TrailerPacket)[] = [];
  #packetBytes = 0;
  #decoded: Uint8Array[] = [];
  #hasPackets = false;
  #trailer: TrailerPacket | undefined;
  #readerEnd: ReaderEnd | undefined;
  /** Index of the next chunk that is told. */
  #next = 0;
  #cancelWait: (() => void) | undefined;

  constructor(header: StreamHeader, context: ForeignContext) {
    this.#header = header;
    this.#context = context;
    context.tell({ type: "header", header });
  }

  /** A packet of it came. Its bytes may change afterwards. */
  packet(packet: ChunkPacket | TrailerPacket): void {
    this.#hasPackets = true;
    if (packet.type === "trailer") this.#trailer = packet;
    if (this.#form === "packets") return this.#tell(packet);
    if (this.#form === "reader") return this.#endByReader();
    if (this.#form === "over") return;
    this.#packets.push(packet.type === "chunk" ? { ...packet, content: packet.content.slice() } : packet);
    this.#packetBytes += packet.type === "chunk" ? packet.content.byteLength : 0;
    this.#decide();
  }

  chunk(content: Uint8Array): void {
    if (this.#form === "reader") return this.#tellDecoded(content);
    if (this.#form !== "undecided") return;
    this.#decoded.push(content);
    this.#decide();
  }

  end(attributes: Readonly<Record<string, string>>, error: string | undefined): void {
    this.#readerEnd = { attributes, error };
    if (this.#form === "reader") return this.#endByReader();
    if (this.#form === "undecided") return this.#decide();
    // Only the reader knows which packets were to be encrypted. All else that it finds is found in the packets, too.
    if (this.#form === "packets" && /encryption/i.test(error ?? "")) this.#spoil();
  }

  /** Tells nothing more. */
  stop(): void {
    this.#form = "over";
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
      // It came within its header and is whole. Otherwise its packets are late, or the connection has ended; of an empty one that is not told.
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
    else if (this.#packetBytes > MAX_UNDECIDED_BYTES) this.#spoil();
  }

  /** The reader has ended and given nothing, of a stream whose first chunk is here. */
  #decideByEnd({ error }: ReaderEnd, first: Uint8Array): void {
    const { totalSize = Infinity } = this.#header;
    // Plain text that is cut within a code point, or more than was announced: of compressed text the reader gives whole code points.
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
    for (const packet of this.#packets.splice(0)) this.#tell(packet);
  }

  #readDecoded(): void {
    this.#cancelWait?.();
    this.#form = "reader";
    this.#packets = [];
    for (const content of this.#decoded.splice(0)) this.#tellDecoded(content);
    this.#endByReader();
  }

  #endByReader(): void {
    if (this.#readerEnd === undefined) return;
    const { attributes, error } = this.#readerEnd;
    const trailer = this.#trailer;
    if (trailer !== undefined && (error === undefined || trailer.reason !== "")) this.#tell(trailer);
    else if (error !== undefined) {
      if (trailer !== undefined) this.#spoil();
      else this.#wait(() => this.#spoil()); // its trailer may say why
    } else if (!this.#hasPackets) {
      const added = Object.entries(attributes).filter(([key, value]) => this.#header.attributes[key] !== value);
      this.#tell({ type: "trailer", streamId: this.#header.streamId, reason: "", attributes: Object.fromEntries(added) }, true);
    }
  }

  #tellDecoded(content: Uint8Array): void {
    const { streamId } = this.#header;
    for (let at = 0; at < content.byteLength; at += MAX_CHUNK_SIZE) {
      this.#tell({ type: "chunk", streamId, index: this.#next, content: content.subarray(at, at + MAX_CHUNK_SIZE) });
    }
  }

  #tell(packet: ChunkPacket | TrailerPacket, strays = false): void {
    if (packet.type === "chunk") this.#next = Math.max(this.#next, packet.index + 1);
    else this.#finish(strays);
    this.#context.tell(packet);
  }

  /** Some of it cannot be had: it ends as one of which a chunk is missing. */
  #spoil(): void {
    const { streamId } = this.#header;
    const index = this.#next + 1;
    this.#finish(true);
    this.#context.tell({ type: "chunk", streamId, index, content: new Uint8Array() });
    this.#context.tell({ type: "trailer", streamId, reason: "", attributes: {} });
  }

  #finish(strays: boolean): void {
    this.stop();
    this.#context.over(strays);
  }

  #wait(done: () => void): void {
    this.#cancelWait ??= this.#context.later(() => {
      this.#cancelWait = undefined;
      if (this.#form !== "over") done();
    });
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at]);
}
