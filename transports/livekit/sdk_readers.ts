import { callNextTurn, cancelNextTurn, type NextTurn } from "../../common/platform.ts";
import type { ChunkPacket, Packet, StreamHeader, TrailerPacket } from "../../protocol/wire/packets.ts";
import { type ForeignContext, ForeignStream } from "./foreign_stream.ts";
import type { SdkReader } from "./sdk/events.ts";

/** Number of ended streams of a sender whose late packets are still recognised. */
const MAX_ENDED = 256;

/** Longest delay between a reader's event and the packets of its stream, in ms. */
const LATE_PACKETS_MS = 250;

interface Reading {
  readonly stream: ForeignStream;
  readonly reader: SdkReader;
}

/** Streams of one sender. */
interface Sender {
  readonly open: Map<string, Reading>;
  /** Ids of ended streams whose trailer has not come, the oldest first. */
  readonly ended: Set<string>;
}

/** Streams of other SDKs, delivered as packets: see {@linkcode ForeignStream}. */
export class SdkReaders {
  readonly #deliver: (packet: Packet, from: string) => void;
  readonly #later: ForeignContext["later"];
  readonly #senders = new Map<string, Sender>();

  constructor(deliver: (packet: Packet, from: string) => void, later: ForeignContext["later"] = afterLatePackets) {
    this.#deliver = deliver;
    this.#later = later;
  }

  /** Takes a packet of one of these streams; returns false for packets of other streams. */
  packet(packet: ChunkPacket | TrailerPacket, from: string): boolean {
    const sender = this.#senders.get(from);
    const reading = sender?.open.get(packet.streamId);
    if (reading !== undefined) reading.stream.packet(packet);
    else if (packet.type === "trailer") return sender?.ended.delete(packet.streamId) ?? false;
    return reading !== undefined || (sender?.ended.has(packet.streamId) ?? false);
  }

  /** Forgets an ended stream: a Millrace stream of the same id has begun. */
  forget(from: string, streamId: string): void {
    this.#senders.get(from)?.ended.delete(streamId);
  }

  /** Starts reading a stream. */
  open(header: StreamHeader, from: string, reader: SdkReader): void {
    const { streamId } = header;
    const sender = this.#senders.get(from) ?? { open: new Map<string, Reading>(), ended: new Set<string>() };
    this.#senders.set(from, sender);
    sender.open.get(streamId)?.stream.stop();
    sender.open.get(streamId)?.reader.stop();
    sender.ended.delete(streamId);
    const stream = new ForeignStream(header, {
      deliver: (packet) => this.#deliver(packet, from),
      ended: (hasLatePackets) => {
        reader.stop();
        sender.open.delete(streamId);
        if (hasLatePackets) remember(sender.ended, streamId);
      },
      later: this.#later,
    });
    sender.open.set(streamId, { stream, reader });
    reader.read(stream);
  }

  /** Stops reading the streams of one sender. */
  drop(from: string): void {
    for (const { stream, reader } of this.#senders.get(from)?.open.values() ?? []) {
      stream.stop();
      reader.stop();
    }
    this.#senders.delete(from);
  }

  /** Stops reading all streams. */
  clear(): void {
    for (const from of [...this.#senders.keys()]) this.drop(from);
  }
}

function remember(ended: Set<string>, streamId: string): void {
  ended.add(streamId);
  const [oldest] = ended;
  if (ended.size > MAX_ENDED && oldest !== undefined) ended.delete(oldest);
}

/** Calls `done` after late packets. The next turn lets pass the packets that wait for this busy thread. */
function afterLatePackets(done: () => void): () => void {
  let turn: NextTurn;
  const timer = setTimeout(() => turn = callNextTurn(done), LATE_PACKETS_MS);
  return () => {
    clearTimeout(timer);
    if (turn !== undefined) cancelNextTurn(turn);
  };
}
