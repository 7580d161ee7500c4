// Participants of a hub that send any packet a test wants, and note what comes.
import { createHash } from "node:crypto";
import { OWN_ATTRIBUTE } from "../../../protocol/constants.ts";
import {
  type ControlMessage,
  decodeControl,
  encodeControl,
  type PeerState,
  type ReceivingState,
  type SendingState,
} from "../../../protocol/wire/control.ts";
import { encodeFrameHeader, type FrameHeader } from "../../../protocol/wire/frames.ts";
import { encodeTrailer, type HeaderExtension, type TrailerExtension } from "../../../protocol/wire/extension.ts";
import { decodeHeader, encodeHeader, type StreamDescription } from "../../../protocol/wire/header.ts";
import type { ChunkPacket, Packet, StreamHeader, TrailerPacket } from "../../../protocol/wire/packets.ts";
import { copyPacket } from "../../../transports/packet_size.ts";
import type { Transport } from "../../../transports/transport.ts";
import { ENCODINGS } from "../../../workers/node/zlib.ts";
import { joined } from "../bytes.ts";

/** Fields of a raw participant's header. */
export interface RawOpening {
  topic?: string;
  kind?: "text" | "bytes";
  size?: number;
  name?: string;
  attributes?: Record<string, string>;
  /** Millrace's own fields. False: a header as of another SDK. */
  extension?: Partial<HeaderExtension> | false;
}

/** A participant who sends what the test wants, as Millrace or as another SDK, and notes the packets that come. */
export class RawParticipant {
  readonly transport: Transport;
  readonly packets: { packet: Packet; from: string }[] = [];
  readonly instance: string;
  /** Called with each packet that comes. */
  react: (packet: Packet, from: string) => void = () => {};
  /** Instances of the others, by their hellos. */
  readonly instances = new Map<string, string>();

  constructor(transport: Transport) {
    this.transport = transport;
    this.instance = `raw-${transport.identity}`;
    transport.open({
      packet: (packet, from) => {
        this.packets.push({ packet: copyPacket(packet), from });
        if (packet.type === "control") {
          const message = decodeControl(packet.payload);
          if (message !== undefined) this.instances.set(from, message.instance);
        }
        this.react(packet, from);
      },
      joined: () => {},
      left: () => {},
      closed: () => {},
    });
  }

  /** Sends any packet. */
  send(packet: Packet, ...to: string[]): void {
    this.transport.send(packet, to.length === 0 ? undefined : to).catch(() => {});
  }

  control(message: ControlMessage, ...to: string[]): void {
    this.send({ type: "control", payload: encodeControl(message) }, ...to);
  }

  /** Says that it is a Millrace runtime, and asks for the others' hellos. */
  hello(
    to: string,
    options: { streamWindow?: number; credit?: number; idleTimeout?: number; streams?: number; answer?: boolean } = {},
  ): void {
    const { streamWindow = 1_000_000, credit = 1_000_000, idleTimeout = 30_000, streams, answer = true } = options;
    const counts = streams === undefined ? {} : { streams };
    this.control(
      { kind: "hello", instance: this.instance, streamWindow, credit, idleTimeout, ...counts, encodings: ENCODINGS, answer },
      to,
    );
  }

  state(to: string, { receiving = [], sending = [], credit = 1_000_000, streams }: {
    receiving?: readonly ReceivingState[];
    sending?: readonly SendingState[];
    credit?: number;
    streams?: number;
  }): void {
    const about = this.instances.get(to) ?? "";
    const counts = streams === undefined ? {} : { streams };
    this.control({ kind: "state", instance: this.instance, about, credit, ...counts, receiving, sending }, to);
  }

  /** Sends a header. */
  open(to: string, streamId: string, sequence: number, opening: RawOpening = {}): void {
    const { topic = "t", kind = "bytes", size, name = "", attributes = {}, extension = {} } = opening;
    const base = { streamId, topic, mimeType: "x/y", timestamp: 1, attributes, ...(size === undefined ? {} : { size }) };
    const description: StreamDescription = kind === "bytes"
      ? { kind, info: { ...base, name } }
      : { kind, info: { ...base, attachments: [] } };
    const own = extension === false
      ? undefined
      : { instance: this.instance, sequence, format: "plain" as const, confirm: false, ...extension };
    this.send({ type: "header", header: encodeHeader(description, own, undefined) }, to);
  }

  chunk(to: string, streamId: string, index: number, content: Uint8Array): void {
    this.send({ type: "chunk", streamId, index, content }, to);
  }

  trailer(to: string, streamId: string, extension: TrailerExtension | undefined, reason = ""): void {
    this.send({ type: "trailer", streamId, reason, attributes: encodeTrailer({}, extension) }, to);
  }

  /** States of streams from a participant, oldest first. */
  statesFrom(from: string): PeerState[] {
    return this.controls(from).filter((message) => message.kind === "state");
  }

  controls(from: string): ControlMessage[] {
    const messages: ControlMessage[] = [];
    for (const { packet, from: sender } of this.packets) {
      if (packet.type !== "control" || sender !== from) continue;
      const message = decodeControl(packet.payload);
      if (message !== undefined) messages.push(message);
    }
    return messages;
  }

  /** Headers that came, decoded. */
  get headers(): { header: StreamHeader; streamId: string; sequence: number | undefined; from: string }[] {
    return this.packets.flatMap(({ packet, from }) => {
      if (packet.type !== "header") return [];
      const { header } = packet;
      return [{ header, streamId: header.streamId, sequence: decodeHeader(header)?.extension?.sequence, from }];
    });
  }

  get chunks(): ChunkPacket[] {
    return this.packets.map(({ packet }) => packet).filter((packet) => packet.type === "chunk");
  }

  get trailers(): TrailerPacket[] {
    return this.packets.map(({ packet }) => packet).filter((packet) => packet.type === "trailer");
  }

  /** The contents of a stream's chunks, put together. */
  content(streamId: string): Uint8Array {
    return joined(this.of("chunk", streamId).map(({ content }) => content));
  }

  /** Packets of one kind that came of a stream. */
  of<T extends "chunk" | "trailer">(type: T, streamId: string): Extract<Packet, { type: T }>[] {
    return this.packets.flatMap(({ packet }) =>
      packet.type === type && packet.streamId === streamId ? [packet as Extract<Packet, { type: T }>] : []
    );
  }

  /** Sends a stream as another SDK does. */
  async stream(
    header: StreamHeader,
    contents: readonly Uint8Array[],
    end: { reason?: string; attributes?: Record<string, string> } = {},
  ): Promise<void> {
    const { streamId } = header;
    await this.transport.send({ type: "header", header });
    for (const [index, content] of contents.entries()) await this.transport.send({ type: "chunk", streamId, index, content });
    await this.transport.send({ type: "trailer", streamId, reason: end.reason ?? "", attributes: end.attributes ?? {} });
  }
}

/** A header as another SDK writes it. */
export function plainHeader(
  streamId: string,
  topic: string,
  kind: "text" | "bytes",
  more: Partial<StreamHeader> = {},
): StreamHeader {
  return {
    streamId,
    topic,
    timestamp: 1_700_000_000_000,
    mimeType: kind === "text" ? "text/plain" : "application/octet-stream",
    attributes: {},
    content: kind === "text" ? { kind, attachedStreamIds: [] } : { kind, name: "plain.bin" },
    ...more,
  };
}

/** Whether a header says that its sender is a Millrace runtime. */
export function isOurs({ header }: { header: StreamHeader }): boolean {
  return OWN_ATTRIBUTE in header.attributes;
}

/** A frame, valid except for `lies`. */
export function frame(offset: number, bytes: Uint8Array, lies: Partial<FrameHeader> = {}): Uint8Array {
  const digest = createHash("sha256").update(bytes).digest();
  const head = encodeFrameHeader({
    offset,
    length: bytes.length,
    encoding: "raw",
    digest: new Uint8Array(digest),
    payload: bytes.length,
    ...lies,
  });
  const whole = new Uint8Array(head.length + bytes.length);
  whole.set(head);
  whole.set(bytes, head.length);
  return whole;
}

/** sha256 in base64, as in a trailer. */
export function digestOf(...parts: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("base64");
}

/** The digest of a framed stream. */
export function framedDigest(...frames: readonly Uint8Array[]): string {
  return digestOf(...frames.map((bytes) => new Uint8Array(createHash("sha256").update(bytes).digest())));
}
