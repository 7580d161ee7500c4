// Compiled by a test, never run: the structural types of millrace/livekit-agents beside those of the packages that they are for.
import { AudioOutput, type JobContext, voice } from "@livekit/agents";
import { adoptJob, type AgentJob, avatarAudioOutput, transcriptionOutput } from "millrace/livekit-agents";

export async function job(context: JobContext, session: voice.AgentSession): Promise<void> {
  const taken: AgentJob = context;
  const runtime = await adoptJob(taken, { chunkSize: 60_000 });
  session.output.transcription = transcriptionOutput(runtime, { trackId: () => undefined });
  session.output.audio = avatarAudioOutput(AudioOutput, runtime, { room: context.room, identity: "avatar" });
  const speech: voice.AudioOutput = avatarAudioOutput(voice.AudioOutput, runtime, { room: context.room, identity: "other" });
  await speech.waitForPlayout();
}
