// A participant in a page, for tests that call it: Millrace, or livekit-client used plainly. `pages.ts` has the other end.
import {
  type ByteStreamReader as SdkByteReader,
  ExternalE2EEKeyProvider,
  Room,
  type TextStreamReader as SdkTextReader,
} from "livekit-client";
import {
  type ByteStreamReader,
  createCodecPool,
  createRuntime,
  type Runtime,
  type StreamError,
  type TextStreamReader,
} from "../../../browser.ts";
import { CONTROL_STREAM_ID } from "../../../protocol/constants.ts";
import { livekit } from "../../../transports/livekit_client/mod.ts";
import { bytePattern } from "../peers/contents.js";
import type { Content, Ended, JoinOptions, Options, PageMemberApi, Sent } from "./pages.ts";

type AnyReader = TextStreamReader | ByteStreamReader | SdkTextReader | SdkByteReader;

const received: Ended[] = [];
const errors: string[] = [];
let room = new Room();
let runtime: Runtime | undefined;
let chunks = 0;
let encrypted = 0;

/** Engine of a Room, as far as tests count what passes. */
interface Counted {
  on(name: string, listener: (packet: { value: { case?: string; value?: { streamId?: string } } }) => void): void;
  e2eeManager?: { encryptData(data: unknown): Promise<unknown> };
}

const member: PageMemberApi = {
  async join({ url, token, plain = false, passphrase }: JoinOptions): Promise<void> {
    if (passphrase !== undefined) {
      const keyProvider = new ExternalE2EEKeyProvider();
      room = new Room({ encryption: { keyProvider, worker: new Worker("/e2ee.js", { type: "module" }) } });
      await keyProvider.setKey(passphrase);
      await room.setE2EEEnabled(true);
    }
    await room.connect(url, token);
    const { engine } = room as unknown as { engine: Counted };
    engine.on("dataPacketReceived", ({ value }) => {
      if (value.case === "streamChunk" && value.value?.streamId !== CONTROL_STREAM_ID) chunks++; // hellos are for all
    });
    countEncrypted(engine);
    if (plain) return;
    const pool = createCodecPool({ worker: () => new Worker("/worker.js", { type: "module" }) });
    runtime = await createRuntime({
      transport: livekit(room),
      pool,
      onError: ({ code, message }: StreamError) => void errors.push(`${code}: ${message}`),
    });
  },

  listen(topic: string): void {
    const side = runtime ?? room;
    const take = (kind: "text" | "bytes") => (reader: AnyReader, { identity }: { identity: string }): void =>
      void ended(kind, reader).then((one) => received.push({ ...one, from: identity, kind }));
    side.registerTextStreamHandler(topic, take("text"));
    side.registerByteStreamHandler(topic, take("bytes"));
  },

  async send(content: Content, options: Options): Promise<Sent> {
    try {
      return { info: plainOf(await sendAll(content, options)) };
    } catch (error) {
      return { error: (error as { code?: string }).code ?? String(error) };
    }
  },

  received: () => received.splice(0),
  errors: () => errors,
  chunks: () => chunks,
  encrypted: () => encrypted,
  others: () => [...room.remoteParticipants.keys()],
  simulate: (scenario) => room.simulateScenario(scenario),
  state: () => room.state,

  async leave(): Promise<void> {
    await runtime?.close();
    await room.disconnect();
  },
};

Object.assign(globalThis, { member });

async function sendAll(content: Content, options: Options): Promise<object> {
  if (content.kind === "text") {
    const text = content.text.repeat(content.times ?? 1);
    return runtime === undefined ? await room.localParticipant.sendText(text, options) : await runtime.sendText(text, options);
  }
  const bytes = bytePattern(content.bytes);
  if (runtime !== undefined) {
    return content.file === true
      ? await runtime.sendFile(new File([bytes], options.name ?? "file.bin", { type: "x/y" }), options)
      : await runtime.sendBytes(bytes, options);
  }
  const writer = await room.localParticipant.streamBytes({ ...options, totalSize: bytes.length });
  for (let at = 0; at < bytes.length; at += 15_000) await writer.write(bytes.subarray(at, at + 15_000));
  await writer.close();
  return writer.info;
}

async function ended(kind: "text" | "bytes", reader: AnyReader): Promise<Omit<Ended, "from" | "kind">> {
  const info = plainOf(reader.info);
  try {
    const content = await reader.readAll();
    const whole = kind === "text" ? content as string : await digestOf(content as Uint8Array | Uint8Array[]);
    return { info: plainOf(reader.info), content: whole };
  } catch (error) {
    return { info, error: (error as { code?: string }).code ?? String(error) };
  }
}

/** sha256 of bytes, hexadecimal. */
async function digestOf(content: Uint8Array | Uint8Array[]): Promise<string> {
  const digest = await crypto.subtle.digest(
    "SHA-256",
    await new Blob(Array.isArray(content) ? content as BlobPart[] : [content as BlobPart]).arrayBuffer(),
  );
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Plain data of an info, without what is undefined. */
function plainOf(info: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(info)) as Record<string, unknown>;
}

/** Counts the packets that the SDK encrypts. */
function countEncrypted({ e2eeManager }: Counted): void {
  if (e2eeManager === undefined) return;
  const { encryptData } = e2eeManager;
  e2eeManager.encryptData = (data) => {
    encrypted++;
    return encryptData.call(e2eeManager, data);
  };
}
