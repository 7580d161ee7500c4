import { StreamError } from "../../errors.ts";
import { isMap } from "../../common/realms.ts";
import { isRecord } from "../../common/shapes.ts";
import { assertNamedOptions, type Check, show } from "../../protocol/options.ts";
import type { Runtime } from "../../actors/runtime/runtime.ts";
import { assertRuntime } from "../assert_runtime.ts";
import { AvatarSpeech, type SpeechFrame } from "./avatar_speech.ts";
import { type OnError, reporter } from "./failures.ts";
import type { Caller, CallingRoom } from "./job.ts";
import type { PlaybackFinished } from "./playback_calls.ts";

const ACTION = "send speech to the avatar";

/** Options of {@linkcode avatarAudioOutput}. */
export interface AvatarAudioOptions {
  /** The job's Room, connected: by its calls the avatar tells what it has played. */
  room: CallingRoom;
  /** Identity of the avatar. */
  identity: string;
  /** Samples a second that the avatar wants; the session then converts. Default: as the speech comes. */
  sampleRate?: number;
  /** Whether the avatar tells when it begins to play. Default false: playback counts as begun with the first frame that was sent. */
  waitPlaybackStart?: boolean;
  /** Longest wait for an avatar that has not joined yet, in ms. Default 20,000. */
  joinTimeout?: number;
  /** Called with errors, which the session does not get: the speech counts as interrupted. Default: a line on stderr. */
  onError?: OnError;
}

const CHECKS: Readonly<Record<keyof AvatarAudioOptions, Check>> = {
  room: [isCallingRoom, "a connected Room of @livekit/rtc-node"],
  identity: [(value) => typeof value === "string" && value !== "", "a non-empty string"],
  sampleRate: [isPositive, "a positive number"],
  waitPlaybackStart: [(value) => typeof value === "boolean", "true or false"],
  joinTimeout: [isPositive, "a positive number of milliseconds"],
  onError: [(value) => typeof value === "function", "a function"],
};

/** Longest default wait for an avatar, in ms: its service starts it for the session. */
const JOIN_TIMEOUT = 20_000;

/** The class `AudioOutput` of `@livekit/agents`, which keeps the account of segments for the session. */
export type AudioOutputClass<Output> = abstract new (
  sampleRate?: number,
  nextInChain?: undefined,
  capabilities?: { pause: boolean },
) => Output;

/** Members of that class that are used. */
interface AudioOutputBase {
  captureFrame(frame: SpeechFrame): Promise<void>;
  flush(): void;
  clearBuffer(): void;
  onPlaybackStarted(createdAt: number): void;
  onPlaybackFinished(event: PlaybackFinished): void;
}

/**
 * Makes the sink of an `AgentSession` that sends its speech to an avatar, another participant. Each segment is a byte stream of samples of
 * 16 bits on "lk.audio_stream", as LiveKit's own avatars read it. It goes to the avatar alone, before files and other long streams. An
 * avatar with a Millrace runtime holds it back if it does not read.
 *
 * `AudioOutput` is the class of that name in `@livekit/agents`. Set it before `session.start`. An avatar that is absent, leaves or stops to
 * read is told to `onError`, and ends its segments as interrupted: the session goes on.
 *
 * Throws "invalid-argument" for wrong arguments, "handler-exists" if the avatar has an output already.
 *
 * @example
 * ```ts no-run
 * import { AudioOutput } from "@livekit/agents";
 * import { adoptJob, avatarAudioOutput } from "millrace/livekit-agents";
 *
 * const runtime = await adoptJob(job);
 * session.output.audio = avatarAudioOutput(AudioOutput, runtime, { room: job.room, identity: "avatar" });
 * await session.start({ agent, room: job.room });
 * ```
 */
export function avatarAudioOutput<Output extends object>(
  AudioOutput: AudioOutputClass<Output>,
  runtime: Runtime,
  options: AvatarAudioOptions,
): Output {
  if (typeof AudioOutput !== "function" || typeof AudioOutput.prototype?.captureFrame !== "function") {
    throw new StreamError(
      "invalid-argument",
      `Cannot ${ACTION}: expected the class AudioOutput of @livekit/agents, got ${show(AudioOutput)}`,
    );
  }
  assertRuntime(runtime, ["streamText", "streamBytes"], ACTION, "createRuntime or adoptJob");
  assertNamedOptions(options, CHECKS, [], ACTION, ["room", "identity"]);
  const Base = AudioOutput as unknown as AudioOutputConstructor;
  return new (avatarOutput(Base))(runtime, options) as unknown as Output;
}

type AudioOutputConstructor = new (
  sampleRate: number | undefined,
  nextInChain: undefined,
  capabilities: { pause: boolean },
) => AudioOutputBase;

type AvatarOutputConstructor = new (runtime: Runtime, options: AvatarAudioOptions) => AudioOutputBase;

function avatarOutput(Base: AudioOutputConstructor): AvatarOutputConstructor {
  return class AvatarAudioOutput extends Base {
    readonly #speech: AvatarSpeech;

    constructor(runtime: Runtime, options: AvatarAudioOptions) {
      super(options.sampleRate, undefined, { pause: false });
      const { room, identity, waitPlaybackStart = false, joinTimeout = JOIN_TIMEOUT, onError } = options;
      const report = reporter(onError, ACTION);
      this.#speech = new AvatarSpeech({ runtime, room, identity, waitPlaybackStart, joinTimeout, report }, {
        started: () => this.onPlaybackStarted(Date.now()),
        finished: (event) => this.onPlaybackFinished(event),
      });
    }

    override async captureFrame(frame: SpeechFrame): Promise<void> {
      assertFrame(frame);
      const counted = super.captureFrame(frame); // first: it counts the segment whose end may be told at once
      await Promise.all([counted, this.#speech.capture(frame)]);
    }

    override flush(): void {
      super.flush();
      this.#speech.flush();
    }

    override clearBuffer(): void {
      this.#speech.clear();
    }
  };
}

function assertFrame(frame: unknown): asserts frame is SpeechFrame {
  const { data, sampleRate, channels } = isRecord(frame) ? frame : {};
  if (Object.prototype.toString.call(data) === "[object Int16Array]" && isPositive(sampleRate) && isPositive(channels)) return;
  throw new StreamError("invalid-argument", `Cannot ${ACTION}: expected an AudioFrame of samples of 16 bits, got ${show(frame)}`);
}

function isPositive(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}

function isCallingRoom(value: unknown): boolean {
  if (!isRecord(value) || typeof value["on"] !== "function" || !isMap(value["remoteParticipants"])) return false;
  const caller = value["localParticipant"] as Partial<Caller> | undefined;
  return typeof caller?.performRpc === "function" && typeof caller.registerRpcMethod === "function";
}
