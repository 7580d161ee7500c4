// needs: livekit-agents
// Chat and transcriptions of a job of @livekit/agents 1.9.0 with rtc-node 0.13.35.
import * as assert from "uvu/assert";
import { suite } from "../../support/harness.ts";
import { inJob, JOB_SECONDS } from "../../support/agents/agent_job.ts";
import { LiveKitRooms, type Member } from "../../support/livekit/livekit_rooms.ts";
import { ffiClient } from "../../support/livekit/recorder.ts";
import type { Room } from "../../support/livekit/rooms.ts";
import { until } from "../../support/waiting.ts";

const FINAL = "lk.transcription_final";

const test = suite("agents");
const rooms = await LiveKitRooms.start();

/** A transcription: who said it, its text, and the attributes of its trailer. */
interface Transcription {
  readonly from: string;
  readonly text: string;
  readonly end: Record<string, string>;
}

test(
  "lk.chat: of a Millrace client reaches the job's session, whose words go to all with their end in the trailer",
  () =>
    inJob(rooms, { linked: "alice" }, async ({ alice, bob, agent, worker }) => {
      const ready = await worker.told("ready");
      assert.is.not(ready["process"], worker.program.pid);
      assert.is(ready["parent"], worker.program.pid);

      const heard = transcriptionsTo(alice);
      const trailers = trailersTo(bob);
      await alice.runtime.sendText("Hello from Alice", { topic: "lk.chat", destinationIdentities: [agent] });
      await until(() => heard.length === 1);
      assert.equal(heard, [{ from: agent, text: "Alice, I have read you.", end: { [FINAL]: "true" } }]);
      await until(() => trailers.some((attributes) => attributes[FINAL] === "true")); // others are of agents' own streams
    }),
  JOB_SECONDS,
);

test(
  "lk.chat: of LiveKit's own SDK reaches the session as before",
  () =>
    inJob(rooms, { linked: "bob" }, async ({ alice, bob, agent }) => {
      const heard = transcriptionsTo(alice);
      await until(() => bob.remoteParticipants.has(agent));
      await bob.localParticipant?.sendText("Hello from Bob", { topic: "lk.chat" });
      await until(() => heard.length === 1);
      assert.equal(heard.map(({ from, text }) => [from, text]), [[agent, "Bob, I have read you too."]]);
    }),
  JOB_SECONDS,
);

test.after(() => rooms.close());
test.run();

function transcriptionsTo({ runtime }: Member): Transcription[] {
  const heard: Transcription[] = [];
  runtime.registerTextStreamHandler("lk.transcription", async (reader, { identity }) => {
    heard.push({ from: identity, text: await reader.readAll(), end: (await reader.closed).attributes });
  });
  return heard;
}

/** Attributes of the trailers that reach a Room. */
function trailersTo(room: Room): Record<string, string>[] {
  const trailers: Record<string, string>[] = [];
  const { handle } = (room as unknown as { ffiHandle: { handle: bigint } }).ffiHandle;
  ffiClient().on("ffi_event", ({ message }) => {
    if (message.case !== "roomEvent" || message.value.roomHandle !== handle) return;
    const { case: name, value } = message.value.message;
    if (name === "streamTrailerReceived") trailers.push(value.trailer.attributes);
  });
  return trailers;
}
