import { StreamError } from "../../errors.ts";
import { randomId } from "../../common/platform.ts";
import { isRecord } from "../../common/shapes.ts";
import { assertNamedOptions, type Check, show } from "../../protocol/options.ts";
import type { Runtime } from "../../actors/runtime/runtime.ts";
import { assertRuntime } from "../assert_runtime.ts";
import type { TextStreamWriter } from "../../actors/writers/writer.ts";
import { type OnError, reporter } from "./failures.ts";

/** Topic of transcriptions, and their attributes, as all SDKs of LiveKit know them. */
const TOPIC = "lk.transcription";
const FINAL = "lk.transcription_final";
const SEGMENT = "lk.segment_id";
const TRACK = "lk.transcribed_track_id";

const ACTION = "send transcriptions";

/** Options of {@linkcode transcriptionOutput}. */
export interface TranscriptionOptions {
  /** Identities of the receivers. Default: everybody. */
  destinationIdentities?: readonly string[];
  /** Attributes of your own, for each segment. */
  attributes?: Record<string, string>;
  /** Id of the track that is transcribed, or a function that is asked for each segment. */
  trackId?: string | (() => string | undefined);
  /** Called with errors, which the session does not get: speech goes on without its text. Default: a line on stderr. */
  onError?: OnError;
}

const CHECKS: Readonly<Record<string, Check>> = {
  trackId: [(value) => typeof value === "string" || typeof value === "function", "a string or a function"],
  onError: [(value) => typeof value === "function", "a function"],
};

/** Sink of a session's text: `TextOutput` of `@livekit/agents`. */
export interface TranscriptionOutput {
  /** Sends a piece of the text, a string or one with times. Resolves when there is room for more. */
  captureText(text: string | { readonly text: string }): Promise<void>;
  /** Ends the segment. */
  flush(): void;
  /** Called by the session; no effect. */
  onAttached(): void;
  /** Called by the session; no effect. */
  onDetached(): void;
}

/**
 * Makes the sink of an `AgentSession` for its transcriptions. Each segment is a text stream on "lk.transcription", word by word; its
 * trailer says `lk.transcription_final: "true"`, which rtc-node's own writer cannot send, so readers know the end from a break.
 *
 * Set it right after `session.start`: a sink that is set before keeps the session from sending its users' transcriptions. Text goes as the
 * model writes it, not in step with the speech. Marks for expression stay in it, if the session asks its model for those.
 *
 * Throws "invalid-argument" for wrong arguments. Assign it at once, `session.output.transcription = transcriptionOutput(runtime)`: then it
 * has the type that the session wants.
 *
 * @example
 * ```ts
 * import { createHub, createRuntime } from "millrace";
 * import { transcriptionOutput } from "millrace/livekit-agents";
 *
 * const hub = createHub();
 * const [agent, alice] = [await createRuntime({ transport: hub.join("agent") }), await createRuntime({ transport: hub.join("alice") })];
 * const end = new Promise<Record<string, string>>((resolve) => {
 *   alice.registerTextStreamHandler("lk.transcription", async (reader) => {
 *     console.log(await reader.readAll());
 *     resolve((await reader.closed).attributes);
 *   });
 * });
 *
 * const output = transcriptionOutput(agent); // as a session does:
 * for (const word of ["Hello, ", "Alice"]) await output.captureText(word);
 * output.flush();
 * if ((await end)["lk.transcription_final"] !== "true") throw new Error("The end was not told");
 * await agent.close();
 * await alice.close();
 * ```
 */
export function transcriptionOutput<Output extends TranscriptionOutput | null = TranscriptionOutput>(
  runtime: Runtime,
  options: TranscriptionOptions = {},
): Output {
  assertRuntime(runtime, ["streamText", "streamBytes"], ACTION, "createRuntime or adoptJob");
  assertNamedOptions(options, CHECKS, ["destinationIdentities", "attributes"], ACTION);
  // TypeScript takes the class of agents as a name, for a protected field; its members are these.
  return new Transcription(runtime, options) as TranscriptionOutput as Output;
}

/** Stream of a segment. */
interface SegmentStream {
  readonly writer: Promise<TextStreamWriter>;
  readonly track: Record<string, string>;
  hasFailed: boolean;
}

class Transcription implements TranscriptionOutput {
  readonly #runtime: Runtime;
  readonly #options: TranscriptionOptions;
  readonly #report: (error: unknown) => void;
  #segment: SegmentStream | undefined;
  /** End of the segment before, which must be sent before the next one. */
  #ended: Promise<void> = Promise.resolve();

  constructor(runtime: Runtime, options: TranscriptionOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.#report = reporter(options.onError, ACTION);
  }

  async captureText(text: string | { readonly text: string }): Promise<void> {
    const words: unknown = isRecord(text) ? text["text"] : text;
    if (typeof words !== "string") {
      throw new StreamError(
        "invalid-argument",
        `Cannot ${ACTION} as the text must be a string or a TimedString: got ${show(text)}`,
      );
    }
    if (words === "") return;
    await this.#ended;
    const segment = this.#segment ??= this.#begin();
    if (segment.hasFailed) return; // told already
    try {
      await (await segment.writer).write(words);
    } catch (error) {
      this.#fail(segment, error);
    }
  }

  flush(): void {
    const segment = this.#segment;
    this.#segment = undefined;
    if (segment !== undefined && !segment.hasFailed) this.#ended = this.#end(segment);
  }

  onAttached(): void {}

  onDetached(): void {}

  #begin(): SegmentStream {
    const { destinationIdentities, attributes, trackId } = this.#options;
    const id = typeof trackId === "function" ? trackId() : trackId;
    const track = id === undefined ? {} : { [TRACK]: id };
    const writer = this.#runtime.streamText({
      topic: TOPIC,
      ...(destinationIdentities === undefined ? {} : { destinationIdentities }),
      attributes: { ...attributes, [FINAL]: "false", [SEGMENT]: `SG_${randomId()}`, ...track },
    });
    return { writer, track, hasFailed: false };
  }

  async #end(segment: SegmentStream): Promise<void> {
    try {
      await (await segment.writer).close({ attributes: { [FINAL]: "true", ...segment.track } });
    } catch (error) {
      this.#fail(segment, error);
    }
  }

  #fail(segment: SegmentStream, error: unknown): void {
    if (segment.hasFailed) return;
    segment.hasFailed = true;
    this.#report(error);
  }
}
