// needs: livekit-agents
// A worker of @livekit/agents 1.9.0 with rtc-node 0.13.35, its jobs in processes of their own, and two participants: one with a Millrace
// runtime, one with LiveKit's SDK alone.
import * as assert from "uvu/assert";
import type { StreamError } from "../../../errors.ts";
import { suite } from "../../support/harness.ts";
import { AgentWorker } from "../../support/agents/agent_worker.ts";
import { type LiveKitRoom, LiveKitRooms, type Member } from "../../support/livekit/livekit_rooms.ts";
import { ffiClient } from "../../support/livekit/recorder.ts";
import type { Room } from "../../support/livekit/rooms.ts";
import { until } from "../../support/waiting.ts";

/** A worker loads the SDK twice, and a model's tools. */
const SECONDS = { seconds: 60 };

/** Bytes of a file that a job is still sending when it is shut down. */
const LONG_FILE = "200000000";

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
    inJob("alice", async ({ alice, bob, agent }) => {
      const heard = transcriptionsTo(alice);
      const trailers = trailersTo(bob);
      await alice.runtime.sendText("Hello from Alice", { topic: "lk.chat", destinationIdentities: [agent] });
      await until(() => heard.length === 1);
      assert.equal(heard, [{ from: agent, text: "Alice, I have read you.", end: { [FINAL]: "true" } }]);
      await until(() => trailers.some((attributes) => attributes[FINAL] === "true")); // others are of agents' own streams
    }),
  SECONDS,
);

test("lk.chat: of LiveKit's own SDK reaches the session as before", () =>
  inJob("bob", async ({ alice, bob, agent }) => {
    const heard = transcriptionsTo(alice);
    await until(() => bob.remoteParticipants.has(agent));
    await bob.localParticipant?.sendText("Hello from Bob", { topic: "lk.chat" });
    await until(() => heard.length === 1);
    assert.equal(heard.map(({ from, text }) => [from, text]), [[agent, "Bob, I have read you too."]]);
  }), SECONDS);

test(
  "adoptJob: closes the runtime before the Room goes, in mid-file, so that the receiver is told why",
  () =>
    inJob("alice", async ({ alice, agent, worker }) => {
      const ready = await worker.told("ready");
      assert.is.not(ready["process"], worker.program.pid);
      assert.is(ready["parent"], worker.program.pid);

      const { begun, ended } = receiveFile(alice);
      await alice.runtime.sendText(LONG_FILE, { topic: "send file", destinationIdentities: [agent] });
      await begun;
      await alice.runtime.sendText("the test is over", { topic: "shut down", destinationIdentities: [agent] });
      const [error] = await Promise.all([ended, worker.told("shutdown callback")]);
      assert.is(error?.code, "aborted", error?.message); // "disconnected" if only the Room had gone
      const told = worker.events.filter(({ event }) => event !== "ready");
      assert.equal(told, [
        { event: "not sent", code: "aborted" },
        { event: "room disconnected", runtime: "closed" },
        { event: "shutdown callback", runtime: "closed", isConnected: false },
      ]);
    }),
  SECONDS,
);

test.after(() => rooms.close());
test.run();

interface Job {
  readonly alice: Member;
  readonly bob: Room;
  /** Identity of the agent. */
  readonly agent: string;
  readonly worker: AgentWorker;
}

/** Runs a test in a room with Alice, Bob and an agent, whose session is with `linked`. */
async function inJob(linked: string, body: (job: Job) => Promise<void>): Promise<void> {
  await rooms.in(async (room: LiveKitRoom) => {
    await using worker = await room.step("a worker", AgentWorker.start(room));
    const [alice, bob] = [await room.join("alice"), await room.plain("bob")];
    const agent = await room.step("a job", worker.dispatch(linked));
    try {
      await room.step("the body, with an agent", body({ alice, bob, agent, worker }));
    } catch (error) {
      const { stack = String(error) } = error as Error;
      throw new Error(`${stack}\nThe worker has written:\n${worker.program.out}\n${worker.program.complaints}`, { cause: error });
    }
  });
}

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

/** Receives the next file. `ended` resolves with its error, or undefined. */
function receiveFile({ runtime }: Member): { begun: Promise<void>; ended: Promise<StreamError | undefined> } {
  let begin: () => void = () => {};
  const begun = new Promise<void>((resolve) => begin = resolve);
  const ended = new Promise<StreamError | undefined>((resolve) => {
    runtime.registerByteStreamHandler("report", async (reader) => {
      try {
        for await (const part of reader) if (part.length > 0) begin();
        resolve(undefined);
      } catch (error) {
        resolve(error as StreamError);
      }
    });
  });
  return { begun, ended };
}
