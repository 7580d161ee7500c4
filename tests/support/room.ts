// A hub in virtual time, runtimes on it that note their errors, and participants who speak for themselves.
import { createHash } from "node:crypto";
import type { StreamError } from "../../errors.ts";
import { createRuntime, type Runtime, type RuntimeOptions } from "../../mod.ts";
import {
  type ControlMessage,
  decodeControl,
  encodeControl,
  type PeerState,
  type ReceivingState,
  type SendingState,
} from "../../protocol/wire/control.ts";
import { encodeFrameHeader, type FrameHeader } from "../../protocol/wire/frames.ts";
import { ENCODINGS } from "../../workers/jobs/zlib.ts";
import { encodeTrailer, type HeaderExtension, type TrailerExtension } from "../../protocol/wire/extension.ts";
import { decodeHeader, encodeHeader, type StreamDescription } from "../../protocol/wire/header.ts";
import type { Packet } from "../../protocol/wire/packets.ts";
import type { Hub, HubOptions } from "../../transports/hub/options.ts";
import { createHub } from "../../transports/hub/hub.ts";
import { copyPacket } from "../../transports/packet_size.ts";
import type { Transport } from "../../transports/transport.ts";
import type { Codec } from "../../workers/codec.ts";
import { createInlineCodec } from "../../workers/jobs/inline_codec.ts";
import type { CodecPool } from "../../workers/pool/options.ts";
import { describeWhenLate } from "./harness.ts";
import { assertNoLeaks, markLeaks } from "./leaks.ts";
import { VirtualTime } from "./virtual_time.ts";

/** Virtual ms that the slowest line of a test may take to hand over what was last said. */
const LAST_WORDS = 60_000;

/** A runtime of a room. */
export interface Member {
  readonly runtime: Runtime;
  /** What `onError` was called with. */
  readonly errors: StreamError[];
  readonly codec: Codec;
}

export class Room implements AsyncDisposable {
  readonly time: VirtualTime;
  readonly hub: Hub;
  /** Rejections that nobody handled. */
  readonly unhandled: unknown[] = [];
  readonly #members: Member[] = [];
  readonly #begun: number = markLeaks();
  readonly #hasLines: boolean;
  /** Jobs that codecs are at. */
  #jobs = 0;
  readonly #listener = (error: unknown): void => void this.unhandled.push(error);

  constructor(options: Omit<HubOptions, "clock"> = {}) {
    // Work on this thread takes real time, in slices: virtual time must not run ahead of it, however busy the machine is.
    this.time = new VirtualTime({ idle: () => this.hub.idle && this.#jobs === 0, turns: 12 });
    this.hub = createHub({ ...options, clock: this.time });
    this.#hasLines = options.link !== undefined;
    describeWhenLate(() => this.#describe());
    process.on("unhandledRejection", this.#listener);
    process.on("uncaughtException", this.#listener);
  }

  /** A runtime, known to all that are here. */
  async join(identity: string, options: Partial<RuntimeOptions> = {}): Promise<Member> {
    const codec = this.#counted(createInlineCodec());
    const errors: StreamError[] = [];
    const runtime = await createRuntime({
      transport: options.transport ?? this.hub.join(identity),
      pool: codec as CodecPool,
      clock: this.time,
      onError: (error) => void errors.push(error),
      ...options,
      limits: { unreadTimeout: Infinity, ...options.limits }, // many tests keep readers that nobody reads
    });
    const member = { runtime, errors, codec };
    this.#members.push(member);
    await this.time.advance(0);
    return member;
  }

  raw(identity: string): Raw {
    return new Raw(this.hub.join(identity));
  }

  /** How the room stands, for a test that takes too long: time and work under way. */
  #describe(): string {
    const { time, hub } = this;
    const members = this.#members.map(({ runtime }) => describeRuntime(runtime)).join("");
    return `Virtual time is ${time.now()}, ${time.pending} timers wait, the hub is ${hub.idle ? "idle" : "at work"}, ` +
      `${this.#jobs} jobs run, ${this.unhandled.length} rejections were not handled${members}`;
  }

  #counted(codec: Codec): Codec {
    return new Proxy(codec, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        return (...args: unknown[]): unknown => {
          const result: unknown = Reflect.apply(member, target, args);
          if (result instanceof Promise) {
            this.#jobs++;
            result.catch(() => undefined).finally(() => this.#jobs--);
          }
          return result;
        };
      },
    });
  }

  /** Closes all, and throws if anything was left behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.time.run(Promise.all(this.#members.map(({ runtime }) => runtime.close())));
    await this.time.advance(this.#hasLines ? LAST_WORDS : 0); // a line has timers of its own for what is under way on it
    process.off("unhandledRejection", this.#listener);
    process.off("uncaughtException", this.#listener);
    if (this.unhandled.length > 0) throw new Error("Unhandled rejections or exceptions", { cause: this.unhandled[0] });
    if (this.time.pending > 0) throw new Error(`${this.time.pending} timers are left when all runtimes are closed`);
    assertNoLeaks(this.#begun);
    for (const { runtime, codec } of this.#members) {
      if (codec.segments.inUse > 0) {
        throw new Error(`"${runtime.identity}" has left ${codec.segments.inUse} bytes of segments in use`);
      }
    }
  }
}

/** A line for a runtime. */
export function describeRuntime({ identity, actor }: Runtime): string {
  const { value } = actor.getSnapshot() as { value: unknown };
  return `\n"${identity}" is ${JSON.stringify(value)}`;
}

/** Runs a test in a room of its own. */
export async function inRoom(body: (room: Room) => Promise<void>, options?: Omit<HubOptions, "clock">): Promise<void> {
  const room = new Room(options);
  try {
    await body(room);
  } catch (error) {
    await room[Symbol.asyncDispose]().catch(() => {}); // what went wrong first is what is to be read
    throw error;
  }
  await room[Symbol.asyncDispose]();
}

/** What a raw sender says of a stream. */
export interface RawOpening {
  topic?: string;
  kind?: "text" | "bytes";
  size?: number;
  name?: string;
  attributes?: Record<string, string>;
  /** False: as a plain SDK. */
  extension?: Partial<HeaderExtension> | false;
}

/** A participant who sends what the test wants, and notes what comes. */
export class Raw {
  readonly transport: Transport;
  readonly packets: { packet: Packet; from: string }[] = [];
  readonly instance: string;
  /** What to do when a packet comes. */
  react: (packet: Packet, from: string) => void = () => {};
  /** Instances of the others, as their hellos said. */
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

  /** Sends anything. */
  send(packet: Packet, ...to: string[]): void {
    this.transport.send(packet, to.length === 0 ? undefined : to).catch(() => {});
  }

  control(message: ControlMessage, ...to: string[]): void {
    this.send({ type: "control", payload: encodeControl(message) }, ...to);
  }

  /** Says that it is a Millrace runtime, and asks the others to say so too. */
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

  /** The states of streams that came from somebody, oldest first. */
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

  /** Headers that came, read. */
  get headers(): { streamId: string; sequence: number | undefined; from: string }[] {
    return this.packets.flatMap(({ packet, from }) => {
      if (packet.type !== "header") return [];
      const sequence = decodeHeader(packet.header)?.extension?.sequence;
      return [{ streamId: packet.header.streamId, sequence, from }];
    });
  }

  /** The packets of one kind that came of a stream. */
  of<T extends "chunk" | "trailer">(type: T, streamId: string): Extract<Packet, { type: T }>[] {
    return this.packets.flatMap(({ packet }) =>
      packet.type === type && packet.streamId === streamId ? [packet as Extract<Packet, { type: T }>] : []
    );
  }
}

/** A frame, in order but for what `lies` says. */
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

/** Bytes that differ from place to place. */
export function pattern(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed + 1;
  for (let i = 0; i < length; i++) {
    state = Math.imul(state, 1103515245) + 12345;
    bytes[i] = state >>> 16;
  }
  return bytes;
}
