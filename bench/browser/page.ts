// A participant in a web page, that uses Millrace or livekit-client plainly, as users do. `participant.ts` calls its commands.
import { type ByteStreamReader as SdkByteReader, Room, type TextStreamReader as SdkTextReader } from "livekit-client";
import { type ByteStreamReader, createCodecPool, createRuntime, type Runtime, type TextStreamReader } from "../../browser.ts";
import { CONTROL_STREAM_ID } from "../../protocol/constants.ts";
import { livekit } from "../../transports/livekit_client/mod.ts";
import { clock } from "../support/clock.ts";
import { BACKGROUND_TOPIC, messageText } from "../livekit/background.ts";
import type { BackgroundCommand, Listening, OfferCommand, SendCommand } from "../livekit/commands.ts";
import { DriftProbe } from "./drift_probe.ts";

type AnyReader = ByteStreamReader | TextStreamReader | SdkByteReader | SdkTextReader;

/** Members of both kinds of writer. */
interface Writer {
  write(data: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Most bytes of one `getRandomValues`. */
const RANDOM_BYTES = 65_536;

const room = new Room();
const heard: [number, number][] = [];
const messages: number[] = [];
const held: unknown[] = [];
let runtime: Runtime | undefined;
let background: ReturnType<typeof setInterval> | undefined;
let probe: DriftProbe | undefined;
let sample = new Uint8Array();
let diskFile: File | undefined;
let taken = 0;
let offered = 0;
let chunks = 0;

declare global {
  /** Tells the participant's process of an event. */
  function emit(event: object): void;
}

export const commands = {
  async connect({ url, token, kind }: { url: string; token: string; kind: string }): Promise<void> {
    await room.connect(url, token);
    const { engine } = room as unknown as {
      engine: { on(name: string, listen: (packet: { value: { case?: string; value?: { streamId?: string } } }) => void): void };
    };
    engine.on("dataPacketReceived", ({ value }) => {
      if (value.case === "streamChunk" && value.value?.streamId !== CONTROL_STREAM_ID) chunks++; // hellos go to all
    });
    if (kind !== "page") return;
    const pool = createCodecPool({ worker: () => new Worker("/worker.js", { type: "module" }) });
    runtime = await createRuntime({ transport: livekit(room), pool, onError: (error) => console.error(error) });
  },

  others: (): string[] => [...room.remoteParticipants.keys()],

  /** Chunks of streams that the Room has seen. */
  chunks: (): number => chunks,

  listen({ kind, topic, how }: Listening): void {
    const take = async (reader: AnyReader): Promise<void> => {
      if (how === "hold") return void held.push(reader);
      if (how === "save") {
        const onProgress = (progress: { bytes: number }): void => void (taken = progress.bytes - 1); // whole once it has its name
        const folder = await navigator.storage.getDirectory();
        const { bytes } = await (reader as ByteStreamReader).saveTo(folder, { overwrite: true, onProgress });
        taken = bytes;
        return emit({ event: "ended", bytes, at: clock() });
      }
      let bytes = 0;
      for await (const part of reader as AsyncIterable<string | Uint8Array>) {
        bytes += part.length;
        taken += part.length;
      }
      emit({ event: "ended", bytes, at: clock() });
    };
    const telling = (reader: AnyReader): void =>
      void take(reader).catch((error) => emit({ event: "ended", bytes: -1, at: clock(), error: String(error) }));
    if (kind === "text") (runtime ?? room).registerTextStreamHandler(topic, telling);
    else (runtime ?? room).registerByteStreamHandler(topic, telling);
  },

  /** Makes the bytes; with path "opfs" in a file of the origin's own folder, so that the page does not hold them. */
  async prepare({ bytes, path }: SendCommand): Promise<void> {
    if (path === "opfs") diskFile = await makeFile(bytes);
    else sample = randomBytes(bytes);
  },

  async send({ how, topic, to, bytes, write = bytes }: SendCommand): Promise<{ began: number; done: number }> {
    if (sample.length !== bytes) sample = randomBytes(bytes);
    const began = clock();
    const options = { topic, destinationIdentities: [...to] };
    if (how === "sendFile") {
      const file = new File([sample], "random.bin");
      if (runtime === undefined) await room.localParticipant.sendFile(file, options);
      else await runtime.sendFile(file, options);
    } else if (how === "sendBytes") {
      if (runtime === undefined) await room.localParticipant.sendBytes(sample, options);
      else await runtime.sendBytes(sample, options);
    } else {
      const writer = await open(options);
      for (let at = 0; at < bytes; at += write) await writer.write(sample.subarray(at, at + write));
      await writer.close();
    }
    return { began, done: clock() };
  },

  /** Begins a write, or the send of a file, of so many bytes; it is not awaited. */
  async begin({ how, topic, to, bytes }: SendCommand): Promise<void> {
    if (diskFile === undefined) sample = randomBytes(bytes);
    const options = { topic, destinationIdentities: [...to] };
    const file = diskFile ?? new File([sample], "random.bin");
    probe = new DriftProbe();
    const sending = how === "sendFile"
      ? runtime === undefined ? room.localParticipant.sendFile(file, options) : runtime.sendFile(file, options)
      : (await open(options)).write(sample);
    sending.catch((error) => console.error(error));
  },

  async offer({ topic, to, bytes }: OfferCommand): Promise<void> {
    const block = randomBytes(1_000_000);
    const writer = await open({ topic, destinationIdentities: [...to] });
    for (offered = 0; offered < bytes; offered += block.length) await writer.write(block);
  },

  offered: (): number => offered,

  taken: (): number => taken,

  watchHolds(): void {
    probe = new DriftProbe();
  },

  holds: (): object | undefined => probe?.stop(),

  hear(): void {
    const take = async (reader: TextStreamReader | SdkTextReader): Promise<void> => {
      const message = await reader.readAll();
      heard.push([Number.parseInt(message), clock()]);
    };
    (runtime ?? room).registerTextStreamHandler(
      BACKGROUND_TOPIC,
      (reader: TextStreamReader | SdkTextReader) => void take(reader).catch((error) => console.error(error)),
    );
  },

  heard: (): [number, number][] => heard,

  startBackground({ to, messageMs }: BackgroundCommand): void {
    const options = { topic: BACKGROUND_TOPIC, destinationIdentities: [to] };
    background = setInterval(() => {
      const text = messageText(messages.push(clock()) - 1);
      const sending = runtime === undefined ? room.localParticipant.sendText(text, options) : runtime.sendText(text, options);
      sending.catch((error) => console.error(error)); // it counts as one that has not come
    }, messageMs);
  },

  stopBackground(): object {
    clearInterval(background);
    return { messages, calls: [] };
  },

  async leave(): Promise<void> {
    await runtime?.close();
    await room.disconnect();
  },
};

Object.assign(globalThis, { commands });

async function open(options: { topic: string; destinationIdentities: string[] }): Promise<Writer> {
  return await (runtime ?? room.localParticipant).streamBytes(options);
}

async function makeFile(bytes: number): Promise<File> {
  const handle = await (await navigator.storage.getDirectory()).getFileHandle("source.bin", { create: true });
  const writable = await handle.createWritable();
  const block = randomBytes(1_000_000);
  for (let at = 0; at < bytes; at += block.length) await writable.write(block.subarray(0, bytes - at));
  await writable.close();
  return await handle.getFile();
}

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += RANDOM_BYTES) crypto.getRandomValues(bytes.subarray(at, at + RANDOM_BYTES));
  return bytes;
}
