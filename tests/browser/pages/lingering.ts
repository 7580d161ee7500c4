// A page with two runtimes and an endless stream between them, which outlasts a stay in the back/forward cache, or in a hidden tab.
import { createHub, createRuntime, type Runtime } from "../../../browser.ts";
import { pattern } from "../../support/bytes.ts";
import { createCodecPool } from "../../support/browser/page_platform.ts";

/** Calls on the page. */
export interface Lingering {
  /** `persisted` of each `pageshow`: true for a return from the back/forward cache. */
  readonly shows: readonly boolean[];
  /** Bytes received so far. */
  readonly received: number;
  /** Starts the stream, over a simulated line by default. */
  begin(options?: { line: boolean }): Promise<void>;
  /** Ends the stream; resolves when both ends have, with the bytes of each, what the receiver confirmed, and the codes of all errors. */
  finish(): Promise<Finished>;
  /** Sends a text of its own; resolves with the bytes that the receiver has confirmed. */
  talk(): Promise<number | undefined>;
}

export interface Finished {
  readonly sent: number;
  readonly received: number;
  readonly confirmed: number | undefined;
  readonly errors: readonly string[];
}

declare global {
  var lingering: Lingering;
}

/** Bytes of one write; each write has the same. */
const WRITE_BYTES = 100_000;

/** Bytes of a text: enough for several frames. */
const TALK_BYTES = 600_000;

/** Time without a sign of life after which a stream ends, in ms: less than a test stays away. */
const IDLE_MS = 3_000;

const shows: boolean[] = [];
addEventListener("pageshow", ({ persisted }) => void shows.push(persisted));

const errors: string[] = [];
const pool = createCodecPool({ size: 1 });
const options = { pool, limits: { idleTimeout: IDLE_MS, stallTimeout: IDLE_MS }, onError: note };
let sender: Runtime;

const bytes = pattern(WRITE_BYTES);
let sent = 0;
let received = 0;
let isWanted = true;
let sending: Promise<number | undefined> = Promise.resolve(undefined);
let reading: Promise<void> = Promise.resolve();

globalThis.lingering = {
  shows,
  get received() {
    return received;
  },
  async begin({ line } = { line: true }) {
    const hub = createHub(line ? { link: { kind: "reliable", rate: 20e6, delay: 1 } } : {});
    sender = await createRuntime({ transport: hub.join("sender"), ...options });
    listen(await createRuntime({ transport: hub.join("receiver"), ...options }));
    const target = { topic: "endless", destinationIdentities: ["receiver"] };
    const writer = await sender.streamBytes({ ...target, compress: true, confirm: true });
    sending = (async () => {
      for (; isWanted; sent += WRITE_BYTES) await writer.write(bytes);
      await writer.close();
      return writer.info.receipts?.[0]?.bytes;
    })();
    sending.catch(note);
  },
  async finish() {
    isWanted = false;
    const confirmed = await sending.catch(() => undefined);
    await reading.catch(note);
    return { sent, received, confirmed, errors };
  },
  async talk() {
    const target = { topic: "talk", destinationIdentities: ["receiver"], confirm: true };
    return (await sender.sendText("x".repeat(TALK_BYTES), target)).receipts?.[0]?.bytes;
  },
};

function listen(receiver: Runtime): void {
  receiver.registerTextStreamHandler("talk", async (reader) => void await reader.readAll());
  receiver.registerByteStreamHandler("endless", async (reader) => {
    reading = (async () => {
      for await (const part of reader) {
        if (part.some((byte, at) => byte !== bytes[(received + at) % WRITE_BYTES])) {
          throw new Error(`Wrong bytes after ${received}`);
        }
        received += part.length;
      }
    })();
    await reading;
  });
}

function note(error: unknown): void {
  errors.push((error as { code?: string }).code ?? String(error));
}
