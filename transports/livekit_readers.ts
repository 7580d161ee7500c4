import { MAX_CHUNK_SIZE } from "../protocol/constants.ts";
import type { Packet, StreamHeader } from "../protocol/packets.ts";
import type { SdkReader } from "./livekit_sdk.ts";

/** Of a sender's streams that were read, so many are remembered: those of one packet have no trailer to forget them by. */
const REMEMBERED = 256;

interface Reading {
  readonly reader: SdkReader;
  /** Its trailer's packet has come. */
  passed: boolean;
}

/** A sender's streams that come by readers, so that their packets are a second copy: before the reader's news of them, or after. */
interface Sender {
  readonly open: Map<string, Reading>;
  /** Those whose reader has told of the end, and whose trailer's packet has not come; the oldest first. */
  readonly read: Set<string>;
}

/** Streams of other SDKs, read by the SDK's readers and told of as packets. */
export class ForeignReaders {
  readonly #tell: (packet: Packet, from: string) => void;
  readonly #senders = new Map<string, Sender>();

  constructor(tell: (packet: Packet, from: string) => void) {
    this.#tell = tell;
  }

  /** Whether a stream comes or came by a reader, so that its packets are a second copy. */
  has(from: string, streamId: string): boolean {
    const sender = this.#senders.get(from);
    return sender !== undefined && (sender.open.has(streamId) || sender.read.has(streamId));
  }

  /** The same, of its trailer: the last of its packets. */
  takesTrailer(from: string, streamId: string): boolean {
    const sender = this.#senders.get(from);
    const reading = sender?.open.get(streamId);
    if (reading === undefined) return sender?.read.delete(streamId) ?? false;
    reading.passed = true;
    return true;
  }

  /** A stream of the same id that comes by packets alone has begun. */
  forget(from: string, streamId: string): void {
    this.#senders.get(from)?.read.delete(streamId);
  }

  open(header: StreamHeader, from: string, reader: SdkReader): void {
    const { streamId } = header;
    const sender = this.#senders.get(from) ?? { open: new Map<string, Reading>(), read: new Set<string>() };
    this.#senders.set(from, sender);
    const reading: Reading = { reader, passed: false };
    sender.open.get(streamId)?.reader.stop();
    sender.open.set(streamId, reading);
    sender.read.delete(streamId);
    this.#tell({ type: "header", header }, from);
    let index = 0;
    reader.read({
      chunk: (content) => {
        for (let at = 0; at < content.byteLength; at += MAX_CHUNK_SIZE) {
          this.#tell({ type: "chunk", streamId, index: index++, content: content.subarray(at, at + MAX_CHUNK_SIZE) }, from);
        }
      },
      end: (attributes, error) => {
        if (sender.open.get(streamId) === reading) close(sender, streamId, reading);
        const added = Object.entries(attributes).filter(([key, value]) => header.attributes[key] !== value);
        this.#tell({ type: "trailer", streamId, reason: error ?? "", attributes: Object.fromEntries(added) }, from);
      },
    });
  }

  /** Reads nothing more of a sender. */
  drop(from: string): void {
    for (const { reader } of this.#senders.get(from)?.open.values() ?? []) reader.stop();
    this.#senders.delete(from);
  }

  clear(): void {
    for (const from of [...this.#senders.keys()]) this.drop(from);
  }
}

function close({ open, read }: Sender, streamId: string, { passed }: Reading): void {
  open.delete(streamId);
  if (passed) return;
  read.add(streamId);
  const [oldest] = read;
  if (read.size > REMEMBERED && oldest !== undefined) read.delete(oldest);
}
