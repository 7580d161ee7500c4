// Calls of avatars about their playback, as LiveKit's own workers of avatars make them.
import { StreamError } from "../../errors.ts";
import { isRecord } from "../../common/shapes.ts";
import type { Caller, RpcCall } from "./job.ts";

/** Method by which an avatar drops what it has not played yet. */
export const CLEAR_BUFFER = "lk.clear_buffer";

const STARTED = "lk.playback_started";
const FINISHED = "lk.playback_finished";

/** End of the playback of a segment. */
export interface PlaybackFinished {
  /** Seconds that were played. */
  readonly playbackPosition: number;
  /** Whether the playback was cut off. */
  readonly interrupted: boolean;
  /** Text that was heard so far, if the avatar knows it. */
  readonly synchronizedTranscript?: string;
}

/** Calls of one avatar. */
export interface PlaybackCalls {
  started(): void;
  finished(event: PlaybackFinished): void;
}

/** Avatars by identity, for each participant of this process that answers them: a method has one answer. */
const answering = new WeakMap<Caller, Map<string, PlaybackCalls>>();

/** Answers the calls of an avatar. Returns the call that ends this. Throws "handler-exists" if that avatar has an output already. */
export function answerPlayback(caller: Caller, identity: string, calls: PlaybackCalls): () => void {
  const avatars = answering.get(caller) ?? new Map<string, PlaybackCalls>();
  if (avatars.has(identity)) {
    throw new StreamError("handler-exists", `Cannot make the output as the avatar has one already: identity is "${identity}"`);
  }
  if (avatars.size === 0) {
    answering.set(caller, avatars);
    const answer = (told: (calls: PlaybackCalls, call: RpcCall) => void) => (call: RpcCall): Promise<string> => {
      const from = avatars.get(call.callerIdentity);
      if (from !== undefined) told(from, call);
      return Promise.resolve(from === undefined ? "reject" : "ok");
    };
    caller.registerRpcMethod(STARTED, answer((from) => from.started()));
    caller.registerRpcMethod(FINISHED, answer((from, { payload }) => from.finished(readFinished(payload))));
  }
  avatars.set(identity, calls);
  return () => {
    if (avatars.get(identity) !== calls) return;
    avatars.delete(identity);
    if (avatars.size > 0) return;
    answering.delete(caller);
    for (const method of [STARTED, FINISHED]) caller.unregisterRpcMethod(method);
  };
}

/** Reads what an avatar tells. Whatever it wrote, its segment has ended: a session that waited on would say nothing more. */
function readFinished(payload: string): PlaybackFinished {
  const told = parse(payload);
  const position = told["playback_position"] ?? told["playbackPosition"];
  const transcript = told["synchronized_transcript"] ?? told["synchronizedTranscript"];
  return {
    playbackPosition: typeof position === "number" && Number.isFinite(position) ? position : 0,
    interrupted: told["interrupted"] === true,
    ...(typeof transcript === "string" ? { synchronizedTranscript: transcript } : {}),
  };
}

function parse(payload: string): Record<string, unknown> {
  try {
    const told: unknown = JSON.parse(payload);
    return isRecord(told) ? told : {};
  } catch {
    return {};
  }
}
