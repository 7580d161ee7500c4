import { MAX_CHUNK_SIZE } from "../protocol/constants.ts";
import type { Packet, StreamHeader } from "../protocol/packets.ts";
import type { SdkReader } from "./livekit_sdk.ts";

/** Streams of other SDKs, read by the SDK's readers and told of as packets. */
export class ForeignReaders {
  readonly #tell: (packet: Packet, from: string) => void;
  readonly #open = new Map<string, Map<string, SdkReader>>();

  constructor(tell: (packet: Packet, from: string) => void) {
    this.#tell = tell;
  }

  /** Whether a stream comes by a reader, so that its packets are a second copy. */
  has(from: string, streamId: string): boolean {
    return this.#open.get(from)?.has(streamId) ?? false;
  }

  open(header: StreamHeader, from: string, reader: SdkReader): void {
    const { streamId } = header;
    const readers = this.#open.get(from) ?? new Map<string, SdkReader>();
    readers.get(streamId)?.stop();
    this.#open.set(from, readers.set(streamId, reader));
    this.#tell({ type: "header", header }, from);
    let index = 0;
    reader.read({
      chunk: (content) => {
        for (let at = 0; at < content.byteLength; at += MAX_CHUNK_SIZE) {
          this.#tell({ type: "chunk", streamId, index: index++, content: content.subarray(at, at + MAX_CHUNK_SIZE) }, from);
        }
      },
      end: (attributes, error) => {
        if (readers.get(streamId) === reader) readers.delete(streamId);
        const added = Object.entries(attributes).filter(([key, value]) => header.attributes[key] !== value);
        this.#tell({ type: "trailer", streamId, reason: error ?? "", attributes: Object.fromEntries(added) }, from);
      },
    });
  }

  /** Reads nothing more of a sender. */
  drop(from: string): void {
    for (const reader of this.#open.get(from)?.values() ?? []) reader.stop();
    this.#open.delete(from);
  }

  clear(): void {
    for (const from of [...this.#open.keys()]) this.drop(from);
  }
}
