import type { ChunkPacket, Packet, StreamHeader, TrailerPacket } from "../../protocol/wire/packets.ts";
import { type ForeignContext, ForeignStream } from "./foreign_stream.ts";
import type { SdkReader } from "./sdk/events.ts";

/** Ended streams of a sender that are remembered, as packets of them may still come. */
const REMEMBERED = 256;

/** Milliseconds between the reader's news of a stream and its packets, at most. */
const LATE_PACKETS = 250;

interface Reading {
  readonly stream: ForeignStream;
  readonly reader: SdkReader;
}

/** Streams of one sender. */
interface Sender {
  readonly open: Map<string, Reading>;
  /** Ended ones whose trailer's packet has not come; the oldest first. */
  readonly ended: Set<string>;
}

/** Streams of other SDKs, told of as packets: see {@linkcode ForeignStream}. */
export class SdkReaders {
  readonly #tell: (packet: Packet, from: string) => void;
  readonly #later: ForeignContext["later"];
  readonly #senders = new Map<string, Sender>();

  constructor(tell: (packet: Packet, from: string) => void, later: ForeignContext["later"] = afterLatePackets) {
    this.#tell = tell;
    this.#later = later;
  }

  /** Takes a packet of one of these streams; false if it is of none. */
  packet(packet: ChunkPacket | TrailerPacket, from: string): boolean {
    const sender = this.#senders.get(from);
    const reading = sender?.open.get(packet.streamId);
    if (reading !== undefined) reading.stream.packet(packet);
    else if (packet.type === "trailer") return sender?.ended.delete(packet.streamId) ?? false;
    return reading !== undefined || (sender?.ended.has(packet.streamId) ?? false);
  }

  /** A stream of the same id that comes by packets alone has begun. */
  forget(from: string, streamId: string): void {
    this.#senders.get(from)?.ended.delete(streamId);
  }

  open(header: StreamHeader, from: string, reader: SdkReader): void {
    const { streamId } = header;
    const sender = this.#senders.get(from) ?? { open: new Map<string, Reading>(), ended: new Set<string>() };
    this.#senders.set(from, sender);
    sender.open.get(streamId)?.stream.stop();
    sender.open.get(streamId)?.reader.stop();
    sender.ended.delete(streamId);
    const stream = new ForeignStream(header, {
      tell: (packet) => this.#tell(packet, from),
      over: (strays) => {
        reader.stop();
        sender.open.delete(streamId);
        if (strays) remember(sender.ended, streamId);
      },
      later: this.#later,
    });
    sender.open.set(streamId, { stream, reader });
    reader.read(stream);
  }

  /** Reads nothing more of a sender. */
  drop(from: string): void {
    for (const { stream, reader } of this.#senders.get(from)?.open.values() ?? []) {
      stream.stop();
      reader.stop();
    }
    this.#senders.delete(from);
  }

  clear(): void {
    for (const from of [...this.#senders.keys()]) this.drop(from);
  }
}

function remember(ended: Set<string>, streamId: string): void {
  ended.add(streamId);
  const [oldest] = ended;
  if (ended.size > REMEMBERED && oldest !== undefined) ended.delete(oldest);
}

/** Not from within the timer: packets that this thread had no time for yet are before it then. */
function afterLatePackets(done: () => void): () => void {
  let immediate: ReturnType<typeof setImmediate> | undefined;
  const timer = setTimeout(() => immediate = setImmediate(done), LATE_PACKETS);
  return () => {
    clearTimeout(timer);
    if (immediate !== undefined) clearImmediate(immediate);
  };
}
