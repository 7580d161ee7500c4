/**
 * Millrace in a job of LiveKit's agents (`@livekit/agents` 1.9 and later, with `@livekit/rtc-node` 0.13.34 or 0.13.35): the job's Room
 * adopted, transcriptions whose end is told, speech for an avatar that is held back. On Node alone, where agents runs.
 *
 * Texts of Millrace clients on "lk.chat" reach the job's `AgentSession` as those of other SDKs do. The runtime must have no handler for
 * that topic.
 *
 * @example
 * ```ts no-run
 * import { defineAgent } from "@livekit/agents";
 * import { adoptJob, transcriptionOutput } from "millrace/livekit-agents";
 *
 * export default defineAgent({
 *   entry: async (job) => {
 *     const runtime = await adoptJob(job);
 *     runtime.registerByteStreamHandler("files", async (reader) => void await reader.saveTo("inbox/"));
 *     await session.start({ agent, room: job.room });
 *     session.output.transcription = transcriptionOutput(runtime);
 *   },
 * });
 * ```
 *
 * @module
 */
export { adoptJob, type JobOptions } from "./adopt_job.ts";
export { type AudioOutputClass, type AvatarAudioOptions, avatarAudioOutput } from "./avatar_audio_output.ts";
export type { OnError } from "./failures.ts";
export type { AgentJob, AgentRoom, Caller, CallingRoom, RpcCall } from "./job.ts";
export { type TranscriptionOptions, type TranscriptionOutput, transcriptionOutput } from "./transcription_output.ts";
