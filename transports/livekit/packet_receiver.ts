import { CONTROL_STREAM_ID, MAX_CHUNK_SIZE, OWN_ATTRIBUTE } from "../../protocol/constants.ts";
import { decodeControl } from "../../protocol/wire/control.ts";
import type { Packet, StreamHeader, TrailerPacket } from "../../protocol/wire/packets.ts";
import type { Presence } from "./presence.ts";
import type { ReadPlace, SdkReader } from "./sdk/events.ts";
import { SdkReaders } from "./sdk_readers.ts";
import type { Unlisted } from "./unlisted.ts";

/** Parts of a transport that its receiving side needs. */
export interface ReceiverContext {
  readonly identity: string;
  readonly presence: Presence;
  readonly unlisted: Unlisted;
  /** True once the runtime has opened the transport. */
  readonly isOpen: () => boolean;
  /** Gives a packet to the runtime. */
  readonly deliver: (packet: Packet, from: string) => void;
}

/** Makes packets of the SDK's stream events, and notes who sent them. */
export class PacketReceiver {
  readonly #context: ReceiverContext;
  readonly #readers = new SdkReaders((packet, from) => this.#receive(packet, from));

  constructor(context: ReceiverContext) {
    this.#context = context;
  }

  header(header: StreamHeader, from: string): void {
    if (!isMillrace(header)) return; // another SDK's header comes with its reader
    this.#readers.forget(from, header.streamId);
    this.#receive({ type: "header", header }, from);
  }

  chunk(streamId: string, index: number, content: Uint8Array, from: string): void {
    if (streamId === CONTROL_STREAM_ID) return this.#receive({ type: "control", payload: content }, from);
    const packet: Packet = { type: "chunk", streamId, index, content };
    if (!this.#readers.packet(packet, from) && content.byteLength <= MAX_CHUNK_SIZE) this.#receive(packet, from);
  }

  trailer(trailer: TrailerPacket, from: string): void {
    if (!this.#readers.packet(trailer, from)) this.#receive(trailer, from);
  }

  /** Decides who reads a stream for which the SDK made a reader. */
  opened(header: StreamHeader, from: string, reader: SdkReader, handled: boolean): ReadPlace {
    if (isMillrace(header)) return "nowhere"; // its packets are read: a handler on the Room would get the stream twice
    if (from === "") return "room"; // the server does not name a hidden participant
    this.#context.presence.noteSender(from, () => true);
    if (handled || !this.#context.isOpen()) return "room";
    this.#readers.open(header, from, reader);
    return "here";
  }

  /** Stops reading streams of one sender. */
  drop(from: string): void {
    this.#readers.drop(from);
  }

  /** Stops reading all streams. */
  clear(): void {
    this.#readers.clear();
  }

  #receive(packet: Packet, from: string): void {
    const { identity, presence, unlisted, deliver } = this.#context;
    if (from === "" || from === identity) return;
    unlisted.note(from);
    if (presence.noteSender(from, () => isOpening(packet))) deliver(packet, from);
  }
}

/** Whether a packet may be the first from a participant. */
function isOpening(packet: Packet): boolean {
  return packet.type === "header" || (packet.type === "control" && decodeControl(packet.payload)?.kind === "hello");
}

function isMillrace(header: StreamHeader): boolean {
  return Object.hasOwn(header.attributes, OWN_ATTRIBUTE);
}
