// A fake of LiveKit's SDK below a LiveKit transport.
import { CONTROL_STREAM_ID } from "../../protocol/constants.ts";
import { encodeControl } from "../../protocol/wire/control.ts";
import type { Packet, StreamHeader, TrailerPacket } from "../../protocol/wire/packets.ts";
import type { ReaderEvents, SdkEvents } from "../../transports/livekit/sdk/events.ts";
import { SdkRoom } from "../../transports/livekit/sdk/room.ts";

const HELLO = encodeControl({
  kind: "hello",
  instance: "i",
  streamWindow: 60_000,
  credit: 60_000,
  idleTimeout: 1_000,
  encodings: [],
  answer: true,
});

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
    return Promise.resolve();
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
    this.events.chunk(CONTROL_STREAM_ID, 0, HELLO, from);
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
