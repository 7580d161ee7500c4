// Runtimes on a hub for one test, and plain participants who see and send packets as other SDKs do.
import type { Codec } from "../../workers/codec.ts";
import { sharedCodecPool } from "../../workers/pool/shared.ts";
import { OWN_ATTRIBUTE } from "../../protocol/constants.ts";
import { createHub, createRuntime } from "../../mod.ts";
import type {
  ByteStreamReader,
  ErrorContext,
  Hub,
  HubOptions,
  Runtime,
  RuntimeOptions,
  StreamError,
  TextStreamReader,
  Transport,
} from "../../mod.ts";
import { describeWhenLate } from "./harness.ts";
import { assertNoLeaks, markLeaks } from "./leaks.ts";
import { describeRuntime } from "./room.ts";
import type { ChunkPacket, HeaderPacket, Packet, StreamHeader, TrailerPacket } from "../../protocol/wire/packets.ts";

/** What a runtime's `onError` was told. */
export interface Told {
  error: StreamError;
  context: ErrorContext;
}

/** A hub whose participants leave when the test ends. */
export class Party {
  readonly hub: Hub;
  readonly #runtimes: Runtime[] = [];
  readonly #plain: PlainPeer[] = [];
  readonly #told = new Map<string, Told[]>();
  readonly #options: Partial<RuntimeOptions>;
  readonly #pools = new Set<Codec>();
  readonly #begun: number = markLeaks();

  constructor(options: Partial<RuntimeOptions>, hub: HubOptions) {
    this.hub = createHub(hub);
    describeWhenLate(() => `The hub is ${this.hub.idle ? "idle" : "at work"}${this.#runtimes.map(describeRuntime).join("")}`);
    this.#options = options;
  }

  async join(identity: string, options: Partial<RuntimeOptions> = {}): Promise<Runtime> {
    const told: Told[] = [];
    this.#told.set(identity, told);
    const { pool = sharedCodecPool() } = { ...this.#options, ...options };
    if (pool !== false) this.#pools.add(pool as unknown as Codec);
    const runtime = await createRuntime({
      transport: this.hub.join(identity),
      onError: (error, context) => void told.push({ error, context }),
      ...this.#options,
      ...options,
      limits: { unreadTimeout: Infinity, ...this.#options.limits, ...options.limits },
    });
    this.#runtimes.push(runtime);
    return runtime;
  }

  /** A participant who is no Millrace runtime. */
  plain(identity: string): PlainPeer {
    const peer = new PlainPeer(this.hub.join(identity));
    this.#plain.push(peer);
    return peer;
  }

  /** What `onError` of a runtime was told. */
  told(identity: string): Told[] {
    return this.#told.get(identity) ?? [];
  }

  /** Closes all, and throws if timers, listeners or segments were left behind. */
  async close(): Promise<void> {
    await Promise.all(this.#runtimes.map((runtime) => runtime.close()));
    await Promise.all(this.#plain.map(({ transport }) => transport.close()));
    assertNoLeaks(this.#begun);
    for (const pool of this.#pools) await assertSegmentsReturned(pool);
  }
}

/** Milliseconds that jobs under way may still take to give their segments back. */
const RETURN_WAIT = 5_000;

/** Throws if segments stay in use though all runtimes are closed. */
async function assertSegmentsReturned({ segments }: Codec): Promise<void> {
  const begun = performance.now();
  while (segments.inUse > 0) {
    if (performance.now() - begun > RETURN_WAIT) throw new Error(`${segments.inUse} bytes of segments are still in use`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export async function inParty(
  body: (party: Party) => Promise<void>,
  options: Partial<RuntimeOptions> = {},
  hub: HubOptions = {},
): Promise<void> {
  const party = new Party(options, hub);
  try {
    await body(party);
  } catch (error) {
    await party.close().catch(() => {}); // the failure to read is the first one
    throw error;
  }
  await party.close();
}

/** Alice and Bob. */
export function inPair(
  body: (alice: Runtime, bob: Runtime, party: Party) => Promise<void>,
  options: Partial<RuntimeOptions> = {},
  hub: HubOptions = {},
): Promise<void> {
  return inParty(async (party) => await body(await party.join("alice"), await party.join("bob"), party), options, hub);
}

/** The first text stream of a topic. */
export function nextText(runtime: Runtime, topic = ""): Promise<TextStreamReader> {
  return new Promise((resolve) => runtime.registerTextStreamHandler(topic, (reader) => resolve(reader)));
}

/** The first byte stream of a topic. */
export function nextBytes(runtime: Runtime, topic = ""): Promise<ByteStreamReader> {
  return new Promise((resolve) => runtime.registerByteStreamHandler(topic, (reader) => resolve(reader)));
}

/** All text of the streams of a topic, each when it is whole. */
export function collectTexts(runtime: Runtime, topic = ""): string[] {
  const texts: string[] = [];
  runtime.registerTextStreamHandler(topic, async (reader) => void texts.push(await reader.readAll()));
  return texts;
}

/** The bytes of the first stream of a topic. */
export function nextWhole(runtime: Runtime, topic = ""): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    runtime.registerByteStreamHandler(topic, (reader) => reader.readAll().then(resolve, reject));
  });
}

/** Bytes that tell where they stand. */
export function pattern(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

/** One array of all parts. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A participant who speaks LiveKit data streams v1 and nothing else. */
export class PlainPeer {
  readonly transport: Transport;
  readonly packets: { packet: Packet; from: string }[] = [];

  constructor(transport: Transport) {
    this.transport = transport;
    transport.open({
      packet: (packet, from) => {
        const kept: Packet = packet.type === "chunk" ? { ...packet, content: new Uint8Array(packet.content) } : packet;
        this.packets.push({ packet: kept, from });
      },
      joined: () => {},
      left: () => {},
      closed: () => {},
    });
  }

  get headers(): HeaderPacket[] {
    return this.packets.map(({ packet }) => packet).filter((packet) => packet.type === "header");
  }

  get chunks(): ChunkPacket[] {
    return this.packets.map(({ packet }) => packet).filter((packet) => packet.type === "chunk");
  }

  get trailers(): TrailerPacket[] {
    return this.packets.map(({ packet }) => packet).filter((packet) => packet.type === "trailer");
  }

  /** The contents of a stream's chunks, put together. */
  content(streamId: string): Uint8Array {
    return joined(this.chunks.filter((chunk) => chunk.streamId === streamId).map(({ content }) => content));
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
export function isOurs({ header }: HeaderPacket): boolean {
  return OWN_ATTRIBUTE in header.attributes;
}

/** Waits until something is so. The test's own limit ends the wait. */
export async function until(test: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await test())) await pause(1);
}

/** Lets real time pass, for tests that something does not happen. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
