// needs: livekit-agents
// Ends of jobs of @livekit/agents in mid-file: the job's own, its worker's, and the room's.
import { readdir } from "node:fs/promises";
import * as assert from "uvu/assert";
import { RoomServiceClient } from "livekit-server-sdk";
import { StreamError } from "../../../errors.ts";
import { suite } from "../../support/harness.ts";
import { type AgentJobs, inJob, JOB_SECONDS, receiveFile } from "../../support/agents/agent_job.ts";
import type { AgentEvent } from "../../support/agents/agent_worker.ts";
import { LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { outcomeOf } from "../../support/rejections.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";
import { until } from "../../support/waiting.ts";

/** Bytes of a file that a job is still sending when it ends, and of one that a job sends to its end. */
const LONG_FILE = 200_000_000;
const SHORT_FILE = 3_000_000;

const test = suite("agents that end");
const rooms = await LiveKitRooms.start();

/** Lines of the agent after those of its begin. */
function ends({ worker }: AgentJobs): AgentEvent[] {
  return worker.events.filter(({ event }) => event !== "ready");
}

/** Ends that a closed runtime leaves: the Room goes after it, and the shutdown callbacks come last. */
const IN_ORDER: readonly AgentEvent[] = [
  { event: "room disconnected", runtime: "closed" },
  { event: "shutdown callback", runtime: "closed", isConnected: false },
];

test(
  "adoptJob: closes the runtime before the Room goes, in mid-file, so that the receiver is told why",
  () =>
    inJob(rooms, { linked: "alice" }, async (job) => {
      const { begun, ended } = receiveFile(job.alice);
      await job.ask("send file", String(LONG_FILE));
      await begun;
      await job.ask("shut down", "the test is over");
      const [end] = await Promise.all([ended, job.worker.told("shutdown callback")]);
      assert.instance(end, StreamError);
      assert.is((end as StreamError).code, "aborted"); // "disconnected" if only the Room had gone
      assert.equal(ends(job), [{ event: "not sent", code: "aborted" }, ...IN_ORDER]);
    }),
  JOB_SECONDS,
);

test(
  "adoptJob: closes the runtime in mid-file when the worker is ended by a signal",
  () =>
    inJob(rooms, { linked: "alice" }, async (job) => {
      const { begun, ended } = receiveFile(job.alice);
      await job.ask("send file", String(LONG_FILE));
      await begun;
      job.worker.program.signal("SIGTERM");
      const [end] = await Promise.all([ended, job.worker.program.ended]);
      assert.is((end as StreamError).code, "aborted");
      assert.equal(ends(job), [{ event: "not sent", code: "aborted" }, ...IN_ORDER]);
    }),
  JOB_SECONDS,
);

test("adoptJob: a file that the entry awaits is sent whole, whatever comes meanwhile", async () => {
  let file: ReturnType<typeof receiveFile> | undefined;
  await inJob(rooms, { linked: "alice", bytes: SHORT_FILE }, async (job) => {
    await file?.begun;
    await job.ask("shut down", "the test is over");
    await job.worker.told("shutdown callback");
    assert.is(await file?.ended, SHORT_FILE);
    assert.equal(ends(job), [{ event: "sent" }, ...IN_ORDER]);
  }, (alice) => {
    file = receiveFile(alice);
  });
}, JOB_SECONDS);

test(
  "adoptJob: a file that comes is removed when the job ends in mid-file, and its sender is told",
  () =>
    inTemporaryFolder((folder) =>
      inJob(rooms, { linked: "alice", folder }, async (job) => {
        const endless = (async function* () {
          for (let at = 0; at < LONG_FILE; at += 30_000) yield await Promise.resolve(new Uint8Array(30_000).fill(at));
        })();
        const options = { topic: "files", name: "photo.jpg", mimeType: "image/jpeg", destinationIdentities: [job.agent] };
        const sending = outcomeOf(job.alice.runtime.sendBytes(endless, options));
        await until(async () => (await readdir(folder)).length > 0);
        await job.ask("shut down", "the test is over");
        await job.worker.told("shutdown callback");
        await until(() => sending.code !== undefined);
        assert.is(sending.code, "disconnected");
        assert.equal(await readdir(folder), []);
        assert.equal(ends(job), [{ event: "not saved", code: "disconnected" }, ...IN_ORDER]);
      })
    ),
  JOB_SECONDS,
);

test(
  "adoptJob: a room that the server ends in mid-file ends the runtime too",
  () =>
    inJob(rooms, { linked: "alice" }, async (job) => {
      const { begun, ended } = receiveFile(job.alice);
      await job.ask("send file", String(LONG_FILE));
      await begun;
      const { server: { url, key, secret }, name } = job.room;
      await new RoomServiceClient(url.replace(/^ws/, "http"), key, secret).deleteRoom(name);
      const [end, last] = await Promise.all([ended, job.worker.told("shutdown callback")]);
      assert.is((end as StreamError).code, "disconnected");
      assert.equal([last["runtime"], last["isConnected"]], ["closed", false]);
      assert.equal(ends(job).filter(({ event }) => event === "not sent"), [{ event: "not sent", code: "disconnected" }]);
    }),
  JOB_SECONDS,
);

test.after(() => rooms.close());
test.run();
