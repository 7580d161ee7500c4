// Jobs of @livekit/agents as adoptJob sees them, with Rooms of the project's rtc-node; a real worker's are in ../agents.
import * as assert from "uvu/assert";
import { adoptJob, type AgentJob, type JobOptions } from "../../../integrations/livekit_agents/mod.ts";
import type { Runtime } from "../../../mod.ts";
import { suite } from "../../support/harness.ts";
import { nextText } from "../../support/handlers.ts";
import { LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { rejection } from "../../support/rejections.ts";
import { Room } from "../../support/livekit/rooms.ts";

const test = suite("adoptJob");
const rooms = await LiveKitRooms.start();

/** A job, with what it was asked for. */
interface FakeJob extends AgentJob {
  readonly room: Room;
  readonly shutdownCallbacks: (() => Promise<void>)[];
  connections: number;
}

function jobIn(room: Room, connect: () => Promise<void> = () => Promise.resolve()): FakeJob {
  const job: FakeJob = {
    room,
    shutdownCallbacks: [],
    connections: 0,
    connect: () => {
      job.connections++;
      return connect();
    },
    addShutdownCallback: (callback) => void job.shutdownCallbacks.push(callback),
  };
  return job;
}

function stateOf({ actor }: Runtime): unknown {
  return actor.getSnapshot().value;
}

test("adoptJob: takes only jobs, and only options of a runtime", () =>
  rooms.in(async (fixture) => {
    for (const wrong of [undefined, null, "job", 7, {}, { room: {} }, { room: {}, connect: () => {} }]) {
      const error = await rejection(() => adoptJob(wrong as unknown as AgentJob), "invalid-argument");
      assert.match(error.message, "expected a JobContext of @livekit/agents");
    }
    const job = jobIn(await fixture.plain("agent"));
    for (const wrong of [null, 5, { transport: {} }, { chunkSize: 0 }, { chunksize: 5_000 }]) {
      await rejection(() => adoptJob(job, wrong as unknown as JobOptions), "invalid-argument");
    }
    assert.equal([job.connections, job.shutdownCallbacks.length], [0, 0]);
    const runtime = await adoptJob(job); // the Room was given back each time
    await runtime.close();
  }));

test("adoptJob: a console's job has no room", async () => {
  const job = { ...jobIn(new Room()), isFakeJob: true };
  const error = await rejection(() => adoptJob(job), "transport");
  assert.match(error.message, "isFakeJob is true");
  assert.is(job.connections, 0);
});

test("adoptJob: connects a job's Room, unless the job has", () =>
  rooms.in(async (fixture) => {
    const token = await fixture.server.token("agent", fixture.name);
    const room = new Room();
    const job = jobIn(room, () => room.connect(fixture.server.url, token, { autoSubscribe: true, dynacast: false }));
    const runtime = await adoptJob(job);
    assert.equal([job.connections, runtime.identity, room.isConnected], [1, "agent", true]);
    await room.disconnect();
    assert.is(stateOf(runtime), "closed");

    const failing = jobIn(new Room(), () => Promise.reject(new Error("no such server")));
    try {
      await adoptJob(failing);
      assert.unreachable();
    } catch (error) {
      assert.is((error as Error).message, "no such server"); // as agents says it
    }
  }));

test("adoptJob: adopts a Room once at a time, and again when the runtime was closed", () =>
  rooms.in(async (fixture) => {
    const job = jobIn(await fixture.plain("agent"));
    const first = await adoptJob(job);
    const error = await rejection(() => adoptJob(job), "transport");
    assert.match(error.message, "adopted already");
    await first.close();
    assert.ok(job.room.isConnected);
    const second = await adoptJob(job);
    await job.room.disconnect();
    assert.equal([stateOf(first), stateOf(second), job.room.isConnected], ["closed", "closed", false]);
  }));

test("adoptJob: a disconnect of the Room closes the runtime first, which tells why its streams end", () =>
  rooms.in(async (fixture) => {
    const alice = await fixture.join("alice");
    const job = jobIn(await fixture.plain("agent"));
    const runtime = await adoptJob(job);
    const reading = nextText(alice.runtime, "answers");
    const writer = await runtime.streamText({ topic: "answers", destinationIdentities: ["alice"] });
    await writer.write("It ");
    const reader = await reading;
    const states: unknown[] = [];
    job.room.once("disconnected", () => states.push(stateOf(runtime)));
    await job.room.disconnect();
    assert.equal([states, job.room.isConnected], [["closed"], false]);
    await rejection(() => reader.readAll(), "aborted");
    await rejection(() => writer.write("depends"), "aborted");
    await rejection(() => runtime.sendText("late"), "closed");
    assert.is(job.shutdownCallbacks.length, 1);
    await job.shutdownCallbacks[0]?.(); // agents makes it afterwards
  }));

test("adoptJob: a job whose server has gone closes its runtime by its shutdown callback", () =>
  rooms.in(async (fixture) => {
    const job = jobIn(await fixture.plain("agent"));
    const runtime = await adoptJob(job);
    await job.shutdownCallbacks[0]?.();
    assert.is(stateOf(runtime), "closed");
    await rejection(() => runtime.streamText(), "closed");
  }));

test.after(() => rooms.close());
test.run();
