import type { ReaderEvents, SdkReader } from "../livekit/sdk/events.ts";
import type { ClientReader } from "./internals.ts";

const utf8 = new TextEncoder();

/** Reader of the SDK for a stream of another SDK, told as events. */
export class SdkStreamReader implements SdkReader {
  readonly #ended: () => void;
  #events: ReaderEvents | undefined;
  #reader: ClientReader | undefined;
  #isRunning = false;

  /** `ended` is called once the reader has ended or was stopped. */
  constructor(ended: () => void) {
    this.#ended = ended;
  }

  /** Takes the SDK's reader, which it makes after the stream was decided on. */
  take(reader: ClientReader): void {
    this.#reader = reader;
    this.#start();
  }

  read(events: ReaderEvents): void {
    this.#events = events;
    this.#start();
  }

  stop(): void {
    this.#events = undefined;
    this.#ended();
  }

  #start(): void {
    if (this.#isRunning || this.#events === undefined || this.#reader === undefined) return;
    this.#isRunning = true;
    void this.#run(this.#reader);
  }

  async #run(reader: ClientReader): Promise<void> {
    let error: string | undefined;
    try {
      for await (const part of reader) {
        // A reader that nobody reads any more is emptied, or the SDK would gather the rest.
        this.#events?.chunk(typeof part === "string" ? utf8.encode(part) : part);
      }
    } catch (cause) {
      error = cause instanceof Error ? cause.message : String(cause);
    }
    const events = this.#events;
    this.#events = undefined;
    this.#ended();
    events?.end({ ...reader.info.attributes }, error);
  }
}
