// A fake of LiveKit's SDK below a LiveKit transport.
import { CONTROL_STREAM_ID } from "../../protocol/constants.ts";
import { encodeControl } from "../../protocol/wire/control.ts";
import type { Packet, StreamHeader, TrailerPacket } from "../../protocol/wire/packets.ts";
import type { ReaderEvents, SdkEvents } from "../../transports/livekit/sdk/events.ts";
import { SdkRoom } from "../../transports/livekit/sdk/room.ts";
import { LiveKitTransport, type SdkRoomApi } from "../../transports/livekit/transport.ts";
import { VirtualTime } from "./hub/virtual_time.ts";

/** Alice's room, with Bob. */
export class FakeSdk {
  readonly identity = "alice";
  readonly participants = new Map([["bob", "PA_bob"]]);
  readonly connected = true;
  readonly mayPublish = true;
  readonly buffered: number[] = [];
  readonly sent: Packet["type"][] = [];
  readonly asked: string[] = [];
  readonly here = new Set<string>();
  holds = false;
  fails: string | undefined;
  releases = 0;
  stopped = false;
  /** Whether an extra packet that lets others out is never answered. */
  hangs = false;
  abandoned = 0;
  events!: SdkEvents;
  #waiting: (() => void)[] = [];
  #rejecting: ((error: Error) => void)[] = [];

  listen(events: SdkEvents): void {
    this.events = events;
  }

  handler(): undefined {
    return undefined;
  }

  stop(why: Error): void {
    this.stopped = true;
    for (const reject of this.#rejecting.splice(0)) reject(why);
  }

  isHere(identity: string, milliseconds: number): Promise<boolean> {
    void milliseconds;
    this.asked.push(identity);
    return Promise.resolve(this.here.has(identity));
  }

  setBufferedAmount(bytes: number): void {
    this.buffered.push(bytes);
  }

  restoreBufferedAmount(): void {
    this.buffered.push(2 * 1024 * 1024);
  }

  connectionAfter(error: unknown): "closed" | "lost" | "open" {
    return SdkRoom.prototype.connectionAfter(error);
  }

  releaseRequests(): Promise<void> {
    this.releases++;
    return this.hangs ? new Promise(() => {}) : Promise.resolve();
  }

  abandon(): void {
    this.abandoned++;
  }

  sendHeader(): Promise<void> {
    return this.#send("header");
  }

  sendChunk(): Promise<void> {
    return this.#send("chunk");
  }

  sendTrailer(trailer: TrailerPacket): Promise<void> {
    return this.#send(trailer.type);
  }

  /** Answers a request. */
  settle(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  hello(from: string): void {
    const hello = {
      kind: "hello",
      instance: "i",
      streamWindow: 60_000,
      credit: 60_000,
      idleTimeout: 1_000,
      encodings: [],
      answer: true,
    } as const;
    this.events.chunk(CONTROL_STREAM_ID, 0, encodeControl(hello), from);
  }

  /** A stream of another SDK, with the SDK's reader. */
  open(header: StreamHeader, from: string): { place: string; events: ReaderEvents | undefined } {
    let events: ReaderEvents | undefined;
    const reader = { read: (given: ReaderEvents) => void (events = given), stop: () => {} };
    const place = this.events.opened(header, from, reader, false);
    return { place, events };
  }

  #send(type: Packet["type"]): Promise<void> {
    this.sent.push(type);
    if (this.fails !== undefined) return Promise.reject(new Error(this.fails));
    if (!this.holds) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      this.#rejecting.push(reject);
    });
  }
}

/** An open transport of Alice's over a fake SDK. */
export interface Opened {
  sdk: FakeSdk;
  transport: LiveKitTransport;
  time: VirtualTime;
  /** Events that the transport has told, packets of control apart. */
  events: string[];
  /** Calls of its release. */
  released: () => number;
}

export function opened(): Opened {
  const sdk = new FakeSdk();
  const time = new VirtualTime();
  const events: string[] = [];
  let released = 0;
  const transport = new LiveKitTransport(sdk as SdkRoomApi, () => void released++, time);
  transport.open({
    packet: (packet) => {
      if (packet.type === "control") return;
      if (packet.type === "header") events.push(`header ${packet.header.streamId}`);
      else events.push(packet.type === "chunk" ? `chunk ${packet.streamId} ${packet.index}` : `trailer ${packet.streamId}`);
    },
    joined: (identity) => void events.push(`joined ${identity}`),
    left: (identity) => void events.push(`left ${identity}`),
    renewed: () => void events.push("renewed"),
    closed: () => void events.push("closed"),
  });
  return { sdk, transport, time, events, released: () => released };
}
