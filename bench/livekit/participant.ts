// A participant of a LiveKit room, as a process of its own, that uses Millrace or @livekit/rtc-node plainly, as users do.
// Run by processes.ts, as `participant.ts millrace|rtc-node`; commands and answers are JSON lines, as with the peers of the tests.
import "../support/quiet.ts";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { type ByteStreamReader as SdkByteReader, dispose, Room, type TextStreamReader as SdkTextReader } from "@livekit/rtc-node";
import { type ByteStreamReader, createRuntime, type Runtime, type TextStreamReader } from "../../mod.ts";
import { emit, serve } from "../support/json_lines.js";
import { livekit } from "../../transports/livekit/mod.ts";
import { MemoryProbe } from "../memory_probe.ts";
import { HoldProbe, wait } from "../probe.ts";
import { randomBytes } from "../samples.ts";
import { hear, heard, startBackground, stopBackground } from "./background.ts";
import { clock } from "../support/clock.ts";
import type { BackgroundCommand, HoldCommand, Listening, OfferCommand, SendCommand, TextCommand } from "./commands.ts";

/** Bytes of a write to a reader that does not read. */
const BLOCK_BYTES = 1_000_000;

const TEXT = "a chat message of fifty bytes, no more and no less.".slice(0, 50);

const plain = process.argv[2] === "rtc-node";
const room = new Room();

interface Writer {
  write(data: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Readers that nobody reads, so that they are not collected. */
const held: unknown[] = [];
const samples = new Map<number | string, Uint8Array>();
let runtime: Runtime | undefined;
let memory: MemoryProbe | undefined;
let holds: HoldProbe | undefined;
let offered = 0;
/** Bytes that were read, of all streams. */
let taken = 0;

serve({
  async connect({ url, token }: { url: string; token: string }) {
    await room.connect(url, token, { autoSubscribe: false, dynacast: false });
    if (!plain) runtime = await createRuntime({ transport: livekit(room), onError: (error) => console.error(error) });
  },

  others: () => [...room.remoteParticipants.keys()],

  clock: () => clock(),

  usage() {
    const { user, system } = process.cpuUsage();
    return { cpu: (user + system) / 1000 };
  },

  listen(listening: Listening) {
    const { topic, how, path = "" } = listening;
    const take = async (reader: TextStreamReader | ByteStreamReader | SdkTextReader | SdkByteReader): Promise<void> => {
      if (how === "hold") return void held.push(reader);
      if (how === "save") return ended((await (reader as ByteStreamReader).saveTo(path, { overwrite: true })).bytes);
      let bytes = 0;
      for await (const part of reader) {
        bytes += part.length;
        taken += part.length;
      }
      ended(bytes);
    };
    const telling = (reader: TextStreamReader | ByteStreamReader | SdkTextReader | SdkByteReader): void =>
      void take(reader).catch((error) => emit({ event: "ended", bytes: -1, at: clock(), error: String(error) }));
    const handlers = runtime ?? room;
    if (listening.kind === "text") handlers.registerTextStreamHandler(topic, telling);
    else handlers.registerByteStreamHandler(topic, telling);
  },

  prepare: async (command: SendCommand) => void await prepare(command),

  async send(command: SendCommand) {
    const { streams = 1 } = command;
    const data = await prepare(command);
    const began = clock();
    await Promise.all(Array.from({ length: streams }, () => send(command, data)));
    return { began, done: clock() };
  },

  async text({ topic, to }: TextCommand) {
    const options = { topic, ...(to === undefined ? {} : { destinationIdentities: [...to] }) };
    const began = clock();
    if (runtime === undefined) await room.localParticipant?.sendText(TEXT, options);
    else await runtime.sendText(TEXT, options);
    return { began, done: clock() };
  },

  /** Holds of the event loop during writes, for a time. The stream stays open. */
  async hold({ topic, to, bytes, write, ms }: HoldCommand) {
    const data = sampleOf(bytes);
    const writer = await open({ topic, destinationIdentities: [...to] });
    const probe = new HoldProbe();
    void writeAll(writer, data, write).catch((error) => console.error(error));
    await wait(ms);
    return probe.stop();
  },

  /** Writes until the writer waits for ever. `offered` gives the bytes. */
  async offer({ topic, to, bytes }: OfferCommand) {
    const block = sampleOf(BLOCK_BYTES);
    const writer = await open({ topic, destinationIdentities: [...to] });
    for (offered = 0; offered < bytes; offered += block.length) await writer.write(block);
  },

  offered: () => offered,

  taken: () => taken,

  hear: () => hear(room, runtime),

  heard,

  startBackground: (command: BackgroundCommand) => startBackground(room, runtime, command),

  stopBackground,

  watchHolds() {
    holds = new HoldProbe();
  },

  holds: () => holds?.stop() ?? null,

  watchMemory() {
    memory = new MemoryProbe();
  },

  memory: () => memory?.stop() ?? 0,
}, async () => {
  await runtime?.close();
  await room.disconnect();
  await dispose();
});

function ended(bytes: number): void {
  emit({ event: "ended", bytes, at: clock() });
}

/** Contents to send, made before the measurement: 32 MB take 20 ms. Empty if a file is sent. */
async function prepare({ streams = 1, bytes, how, path }: SendCommand): Promise<Uint8Array> {
  if (how === "sendFile") return new Uint8Array();
  if (path === undefined) return sampleOf(bytes / streams);
  const contents = samples.get(path) ?? await readFile(path);
  samples.set(path, contents);
  return contents;
}

function sampleOf(bytes: number): Uint8Array {
  const sample = samples.get(bytes) ?? randomBytes(bytes);
  samples.set(bytes, sample);
  return sample;
}

async function send({ how, topic, to, write = 0, path = "" }: SendCommand, data: Uint8Array): Promise<void> {
  const options = { topic, destinationIdentities: [...to] };
  if (how === "sendFile") {
    if (runtime === undefined) await room.localParticipant?.sendFile(path, { ...options, name: "sent" });
    else await runtime.sendFile(path, options);
  } else if (how === "sendBytes" && runtime !== undefined) {
    await runtime.sendBytes(data, options);
  } else {
    const writer = await open(options);
    await writeAll(writer, data, write);
    await writer.close();
  }
}

async function writeAll(writer: Writer, data: Uint8Array, write: number): Promise<void> {
  for (let at = 0; at < data.length; at += write) await writer.write(data.subarray(at, at + write));
}

async function open(options: { topic: string; destinationIdentities: string[] }): Promise<Writer> {
  if (runtime !== undefined) return await runtime.streamBytes(options);
  if (room.localParticipant === undefined) throw new Error("Cannot send as the room is not connected");
  return await room.localParticipant.streamBytes(options);
}
