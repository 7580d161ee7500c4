import { inlineContent } from "../../protocol/wire/inline_content.ts";
import type { ChunkPacket, HeaderPacket, Packet, TrailerPacket } from "../../protocol/wire/packets.ts";
import type { OutgoingSpec } from "./plan.ts";

/** Packets of a short stream, held until its end: its content may go within the header. */
export class HeldStream {
  readonly #spec: OutgoingSpec;
  readonly #header: HeaderPacket;
  readonly #chunks: ChunkPacket[] = [];

  constructor(spec: OutgoingSpec, header: HeaderPacket) {
    this.#spec = spec;
    this.#header = header;
  }

  /** Adds a copy of a chunk. */
  add(chunk: ChunkPacket): undefined {
    this.#chunks.push({ ...chunk, content: chunk.content.slice() });
  }

  /** Packets of the whole stream: only the header, if it can carry the content in `headerBytes` bytes. */
  packets(trailer: TrailerPacket, digest: string, headerBytes: number): Packet[] {
    const inlined = this.#inline(digest, headerBytes);
    if (inlined === undefined) return [this.#header, ...this.#chunks, trailer];
    // A broadcast also reaches unknown participants of other SDKs, which need chunks and trailer.
    return this.#spec.destinations.names === undefined ? [inlined, ...this.#chunks, trailer] : [inlined];
  }

  #inline(digest: string, headerBytes: number): Packet | undefined {
    const { header, extension, description } = this.#spec;
    const [chunk] = this.#chunks;
    if (extension === undefined || this.#chunks.length > 1) return undefined;
    const content = { content: chunk?.content ?? new Uint8Array(), digest };
    const inlined = inlineContent(header, extension, description.kind, content, headerBytes);
    return inlined === undefined ? undefined : { type: "header", header: inlined };
  }
}
