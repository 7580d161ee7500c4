import { StreamError } from "../../errors.ts";
import { randomId } from "../../common/platform.ts";
import { Deferred, Notifier } from "../../common/promises.ts";
import { STREAM_CHUNK_SIZE } from "../../protocol/constants.ts";
import type { Runtime } from "../../actors/runtime/runtime.ts";
import type { ByteStreamWriter } from "../../actors/writers/writer.ts";
import type { CallingRoom } from "./job.ts";
import { answerPlayback, CLEAR_BUFFER, type PlaybackCalls, type PlaybackFinished } from "./playback_calls.ts";

/** Topic on which LiveKit's avatars get speech. */
const TOPIC = "lk.audio_stream";

const BYTES_PER_SAMPLE = 2;

/** Samples of speech: `AudioFrame` of `@livekit/rtc-node`. */
export interface SpeechFrame {
  /** Samples of 16 bits, those of the channels in turn. */
  readonly data: Int16Array;
  readonly sampleRate: number;
  readonly channels: number;
}

/** Context of the speech of one avatar. */
export interface SpeechContext {
  readonly runtime: Runtime;
  readonly room: CallingRoom;
  readonly identity: string;
  readonly waitPlaybackStart: boolean;
  readonly joinTimeout: number;
  /** Takes errors that the session does not get. */
  readonly report: (error: unknown) => void;
}

/** A segment of speech, from its first frame until the avatar has played it. */
interface Segment {
  readonly writer: Promise<ByteStreamWriter>;
  /** Resolved when no more of the segment is wanted. */
  readonly cut: Deferred;
  isCut: boolean;
  hasStarted: boolean;
  hasFailed: boolean;
}

/** Speech for an avatar. Each segment is played to its end, or told as interrupted: a session waits for that. */
export class AvatarSpeech {
  readonly #context: SpeechContext;
  readonly #told: PlaybackCalls;
  /** Segment that frames are added to. */
  #open: Segment | undefined;
  /** Segments whose end was not told, the oldest first. */
  #playing: Segment[] = [];
  /** Notified when somebody has joined, or the Room has ended. */
  readonly #changed = new Notifier();
  #isOver = false;

  constructor(context: SpeechContext, told: PlaybackCalls) {
    this.#context = context;
    this.#told = told;
    const { room, identity } = context;
    if (room.localParticipant === undefined) {
      throw new StreamError(
        "transport",
        "Cannot send speech to the avatar as the room must be connected: it has no localParticipant",
      );
    }
    const stopAnswers = answerPlayback(room.localParticipant, identity, {
      started: () => told.started(),
      finished: (event) => this.#end(this.#playing[0], event),
    });
    const joined = (): void => this.#changed.notify();
    const left = (participant: { identity: string }): void => {
      if (participant.identity === identity) this.#lose(`the avatar has left: identity is "${identity}"`);
    };
    const disconnected = (): void => {
      room.off("participantConnected", joined);
      room.off("participantDisconnected", left);
      room.off("disconnected", disconnected);
      stopAnswers();
      this.#isOver = true;
      this.#changed.notify();
      this.#lose("the room is disconnected");
    };
    room.on("participantConnected", joined);
    room.on("participantDisconnected", left);
    room.on("disconnected", disconnected);
  }

  /** Sends a frame. Resolves when there is room for more, or the segment is cut. */
  async capture(frame: SpeechFrame): Promise<void> {
    const segment = this.#open ??= this.#begin(frame);
    try {
      const writer = await Promise.race([segment.writer, segment.cut.promise]);
      for (const part of partsOf(frame)) {
        if (writer === undefined || segment.isCut) return;
        await Promise.race([writer.write(part), segment.cut.promise]);
      }
      if (segment.hasStarted || segment.isCut || this.#context.waitPlaybackStart) return;
      segment.hasStarted = true;
      this.#told.started();
    } catch (error) {
      this.#fail(segment, error);
    }
  }

  /** Ends the segment: the avatar plays the rest of it. */
  flush(): void {
    const segment = this.#open;
    this.#open = undefined;
    if (segment !== undefined && !segment.hasFailed) void this.#close(segment);
  }

  /** Asks the avatar to drop what it has not played. */
  clear(): void {
    if (this.#playing.length === 0) return;
    for (const segment of this.#playing) cut(segment);
    void this.#askToClear();
  }

  async #askToClear(): Promise<void> {
    const { room, identity, report } = this.#context;
    try {
      await room.localParticipant?.performRpc({ destinationIdentity: identity, method: CLEAR_BUFFER, payload: "" });
    } catch (error) {
      if (this.#playing.length > 0) report(error);
      this.#endAll();
    }
  }

  #begin(frame: SpeechFrame): Segment {
    const writer = this.#openStream(frame);
    writer.catch(() => {}); // whoever captures or closes gets it
    const segment = { writer, cut: new Deferred(), isCut: false, hasStarted: false, hasFailed: false };
    this.#playing.push(segment);
    return segment;
  }

  async #openStream({ sampleRate, channels }: SpeechFrame): Promise<ByteStreamWriter> {
    const { runtime, identity } = this.#context;
    const open = (): Promise<ByteStreamWriter> =>
      runtime.streamBytes({
        topic: TOPIC,
        name: `AUDIO_${randomId()}`,
        destinationIdentities: [identity],
        attributes: { sample_rate: String(sampleRate), num_channels: String(channels) },
        urgent: true,
      });
    try {
      return await open();
    } catch (error) {
      const isAbsent = error instanceof StreamError && error.code === "disconnected";
      if (!isAbsent || !await this.#joined()) throw error;
      return await open();
    }
  }

  /** Waits for the avatar. Resolves with whether it is there. */
  async #joined(): Promise<boolean> {
    const { room, identity, joinTimeout } = this.#context;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#changed.notify();
    }, joinTimeout);
    try {
      while (!isLate && !this.#isOver) {
        if (room.remoteParticipants.has(identity)) return true;
        await this.#changed.wait();
      }
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  async #close(segment: Segment): Promise<void> {
    try {
      await (await segment.writer).close();
    } catch (error) {
      this.#fail(segment, error);
    }
  }

  #fail(segment: Segment, error: unknown): void {
    if (segment.hasFailed) return;
    segment.hasFailed = true;
    if (this.#playing.includes(segment)) this.#context.report(error); // else its end was told, and why
    this.#end(segment, { playbackPosition: 0, interrupted: true });
  }

  #lose(why: string): void {
    if (this.#playing.length === 0) return;
    const { identity, report } = this.#context;
    report(new StreamError("disconnected", `Cannot send speech to the avatar as ${why}`, { identity }));
    this.#endAll();
  }

  #endAll(): void {
    for (const segment of [...this.#playing]) this.#end(segment, { playbackPosition: 0, interrupted: true });
  }

  #end(segment: Segment | undefined, event: PlaybackFinished): void {
    if (segment === undefined || !this.#playing.includes(segment)) return;
    this.#playing = this.#playing.filter((one) => one !== segment);
    cut(segment);
    try {
      this.#told.finished(event);
    } catch (error) {
      this.#context.report(error); // of a listener of the session, which must not break what ends the segment
    }
  }
}

function cut(segment: Segment): void {
  segment.isCut = true;
  segment.cut.resolve();
}

/** The bytes of a frame in parts of whole samples, each at most a chunk: avatars read a chunk as a frame. */
function* partsOf({ data, channels }: SpeechFrame): Generator<Uint8Array> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const sample = BYTES_PER_SAMPLE * channels;
  const most = Math.floor(STREAM_CHUNK_SIZE / sample) * sample;
  for (let at = 0; at < bytes.length; at += most) yield bytes.subarray(at, at + most);
}
