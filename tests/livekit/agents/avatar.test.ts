// needs: livekit-agents
// Speech of a session of @livekit/agents 1.9.0 for an avatar: one with a Millrace runtime, one with LiveKit's SDK alone.
import * as assert from "uvu/assert";
import type { RpcInvocationData } from "@livekit/rtc-node";
import { suite } from "../../support/harness.ts";
import { inJob, JOB_SECONDS } from "../../support/agents/agent_job.ts";
import { bytesHeardBy, LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import type { Room } from "../../support/livekit/rooms.ts";
import { until } from "../../support/waiting.ts";

const TOPIC = "lk.audio_stream";

/** Bytes of a second of speech. */
const BYTES_PER_SECOND = 48_000;

const test = suite("agents with avatars");
const rooms = await LiveKitRooms.start();

/** Calls of the agent to an avatar, by method. */
function callsTo(room: Room): string[] {
  const calls: string[] = [];
  room.localParticipant?.registerRpcMethod("lk.clear_buffer", ({ callerIdentity }: RpcInvocationData) => {
    calls.push(callerIdentity);
    return Promise.resolve("ok");
  });
  return calls;
}

async function tellFinished(room: Room, agent: string, position: number, interrupted: boolean): Promise<void> {
  const payload = JSON.stringify({ playback_position: position, interrupted, synchronized_transcript: null });
  await room.localParticipant?.performRpc({ destinationIdentity: agent, method: "lk.playback_finished", payload });
}

test(
  "avatarAudioOutput: a session speaks to an avatar with a Millrace runtime, and goes on when that has played",
  () =>
    inJob(rooms, { linked: "alice", avatar: "alice" }, async ({ alice, agent, worker, ask }) => {
      const speech: { bytes: Uint8Array; attributes: Record<string, string> }[] = [];
      alice.runtime.registerByteStreamHandler(TOPIC, async (reader) => {
        speech.push({ bytes: await reader.readAll(), attributes: reader.info.attributes });
      });
      await ask("speak", "3");
      await until(() => speech.length === 1);
      assert.equal(speech[0]?.attributes, { sample_rate: "24000", num_channels: "1" });
      const { buffer, byteLength } = speech[0]?.bytes ?? new Uint8Array();
      assert.is(byteLength, 3 * BYTES_PER_SECOND);
      assert.ok(new Int16Array(buffer).every((sample, at) => sample === (at & 0x7fff)));
      assert.equal(worker.events.filter(({ event }) => event === "spoken"), []);
      await tellFinished(alice.room, agent, 3, false);
      assert.is((await worker.told("spoken"))["interrupted"], false);
      assert.equal(worker.events.filter(({ event }) => event.endsWith("error")), []);
    }),
  JOB_SECONDS,
);

test(
  "avatarAudioOutput: an interruption clears an avatar that holds a long speech back",
  () =>
    inJob(rooms, { linked: "alice", avatar: "alice" }, async ({ alice, agent, worker, ask }) => {
      const calls = callsTo(alice.room);
      let bytes = 0;
      let read: () => void = () => {};
      const mayRead = new Promise<void>((resolve) => read = resolve);
      const ended = new Promise<void>((resolve) => {
        alice.runtime.registerByteStreamHandler(TOPIC, async (reader) => {
          await mayRead;
          for await (const part of reader) bytes += part.length;
          resolve();
        });
      });
      await ask("speak", "600"); // 29 MB, of which a window goes
      await until(() => alice.runtime.stats().open.some(({ topic, bytes }) => topic === TOPIC && bytes > 100_000));
      await ask("interrupt");
      await until(() => calls.length > 0);
      assert.is(calls[0], agent);
      await tellFinished(alice.room, agent, 1, true);
      assert.is((await worker.told("spoken"))["interrupted"], true);
      read();
      await ended;
      assert.ok(bytes < 100 * BYTES_PER_SECOND, `${bytes} bytes came`);
    }),
  JOB_SECONDS,
);

test(
  "avatarAudioOutput: an avatar of LiveKit's own SDK gets the same bytes",
  () =>
    inJob(rooms, { linked: "alice", avatar: "bob" }, async ({ bob, agent, worker, ask }) => {
      const heard = bytesHeardBy(bob, TOPIC);
      await ask("speak", "3");
      await until(() => heard.length === 1);
      assert.ok(new Int16Array(heard[0]?.slice().buffer ?? new ArrayBuffer(0)).every((sample, at) => sample === (at & 0x7fff)));
      assert.is(heard[0]?.length, 3 * BYTES_PER_SECOND);
      await tellFinished(bob, agent, 3, false);
      assert.is((await worker.told("spoken"))["interrupted"], false);
    }),
  JOB_SECONDS,
);

test(
  "avatarAudioOutput: an avatar that leaves in mid-speech leaves the session free to go on",
  () =>
    inJob(rooms, { linked: "alice", avatar: "bob" }, async ({ bob, worker, ask }) => {
      const heard = bytesHeardBy(bob, TOPIC);
      await ask("speak", "3");
      await until(() => heard.length === 1);
      await bob.disconnect(); // without a word of what it has played
      const { interrupted } = await worker.told("spoken");
      assert.type(interrupted, "boolean");
      assert.is((await worker.told("avatar error"))["code"], "disconnected");
    }),
  JOB_SECONDS,
);

test.after(() => rooms.close());
test.run();
