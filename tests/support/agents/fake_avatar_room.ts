// Fakes of what an avatar's output takes of LiveKit's packages: a Room's calls and events, and the class AudioOutput.
import { EventEmitter } from "node:events";
import type { Caller, CallingRoom, RpcCall } from "../../../integrations/livekit_agents/mod.ts";

/** Room of an agent, whose avatars call by `call`. */
export class FakeAvatarRoom extends EventEmitter implements CallingRoom {
  readonly remoteParticipants = new Map<string, unknown>();
  /** Calls of the agent: "method to identity". */
  readonly calls: string[] = [];
  readonly methods = new Map<string, (call: RpcCall) => Promise<string>>();
  /** Error of the agent's next calls. */
  fails: Error | undefined;
  readonly localParticipant: Caller = {
    performRpc: ({ destinationIdentity, method }) => {
      this.calls.push(`${method} to ${destinationIdentity}`);
      return this.fails === undefined ? Promise.resolve("") : Promise.reject(this.fails);
    },
    registerRpcMethod: (method, answer) => void this.methods.set(method, answer),
    unregisterRpcMethod: (method) => void this.methods.delete(method),
  };

  /** A call of another participant. Resolves with the answer; undefined if nobody answers the method. */
  async call(callerIdentity: string, method: string, payload: unknown = ""): Promise<string | undefined> {
    return await this.methods.get(method)?.({
      callerIdentity,
      payload: typeof payload === "string" ? payload : JSON.stringify(payload),
    });
  }

  join(identity: string): void {
    this.remoteParticipants.set(identity, { identity });
    this.emit("participantConnected", { identity });
  }

  leave(identity: string): void {
    this.remoteParticipants.delete(identity);
    this.emit("participantDisconnected", { identity });
  }

  /** Listeners of all events. */
  get listeningFor(): string[] {
    return this.eventNames().map(String);
  }
}

/** The account of segments that the class of agents keeps, and what it was told. */
export abstract class FakeAudioOutput {
  readonly sampleRate: number | undefined;
  readonly canPause: boolean;
  readonly told: string[] = [];
  segments = 0;
  #capturing = false;

  constructor(sampleRate?: number, nextInChain?: undefined, capabilities: { pause: boolean } = { pause: true }) {
    this.sampleRate = sampleRate;
    this.canPause = nextInChain === undefined && capabilities.pause;
  }

  captureFrame(frame: FakeFrame): Promise<void> {
    if (!this.#capturing && frame.data.length >= 0) this.segments++;
    this.#capturing = true;
    return Promise.resolve();
  }

  flush(): void {
    this.#capturing = false;
  }

  abstract clearBuffer(): void;

  onPlaybackStarted(createdAt: number): void {
    this.told.push(createdAt > 0 ? "started" : "started too early");
  }

  onPlaybackFinished({ playbackPosition, interrupted, synchronizedTranscript = "" }: {
    playbackPosition: number;
    interrupted: boolean;
    synchronizedTranscript?: string;
  }): void {
    this.told.push(`${interrupted ? "interrupted" : "played"} at ${playbackPosition}${synchronizedTranscript}`);
  }
}

export interface FakeFrame {
  readonly data: Int16Array;
  readonly sampleRate: number;
  readonly channels: number;
}

/** A frame of mono speech, as a part of a larger array. */
export function frame(samples: number, value = 1, channels = 1): FakeFrame {
  const whole = new Int16Array(samples + 7).fill(value);
  return { data: whole.subarray(7), sampleRate: 24_000, channels };
}
