// needs: redis
// Servers for the other tests of LiveKit: they start, stop and restart, and none outlives its test.
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import * as assert from "uvu/assert";
import { programCommand } from "../../../bench/support/program_command.ts";
import { suite } from "../../support/harness.ts";
import { connect, disposeAll, inRooms, RoomEvent } from "../../support/livekit/rooms.ts";
import { startRedis, startServer } from "../../../bench/support/server.ts";
import { answers } from "../../support/waiting.ts";

const test = suite("startServer");

test("startServer: participants meet in a room of a server", () =>
  inRooms(async () => {
    await using server = await startServer();
    const alice = await connect(server, "alice", "room");
    const bob = await connect(server, "bob", "room");
    const heard = nextData(bob);
    await alice.localParticipant?.publishData(new TextEncoder().encode("hello"), { reliable: true, topic: "greetings" });
    assert.equal(await heard, { from: "alice", text: "hello", topic: "greetings" });
  }));

test("startServer: two servers at once have separate rooms", () =>
  inRooms(async () => {
    await using first = await startServer();
    await using second = await startServer();
    await connect(first, "alice", "room");
    const bob = await connect(second, "bob", "room");
    assert.equal([...bob.remoteParticipants.keys()], []);
  }));

test("startRedis: two servers with one Redis share their rooms", () =>
  inRooms(async () => {
    await using redis = await startRedis();
    await using first = await startServer({ redis: redis.address });
    await using second = await startServer({ redis: redis.address });
    const alice = await connect(first, "alice", "room");
    const bob = await connect(second, "bob", "room");
    const text = new Promise<string>((resolve, reject) => {
      bob.registerTextStreamHandler("greetings", (reader, { identity }) => {
        reader.readAll().then((all) => resolve(`${identity}: ${all}`), reject);
      });
    });
    const heard = nextData(alice);
    await alice.localParticipant?.sendText("across", { topic: "greetings" });
    assert.is(await text, "alice: across");
    await bob.localParticipant?.publishData(new TextEncoder().encode("and back"), { reliable: true });
    assert.is((await heard).text, "and back");
  }));

test("TestServer.kill(), restart(): a killed server is silent until restarted at the same address, without its rooms", () =>
  inRooms(async () => {
    await using server = await startServer();
    const { url } = server;
    assert.is(await answers(url), true);
    await server.kill();
    assert.is(await answers(url), false);
    await server.restart();
    assert.is(server.url, url);
    const alice = await connect(server, "alice", "room");
    assert.is(alice.isConnected, true);
    await server.restart();
    assert.is(await answers(url), true);
  }));

test("TestServer.token(): may take permissions away", () =>
  inRooms(async () => {
    await using server = await startServer();
    const [, claims = ""] = (await server.token("alice", "room", { canPublishData: false })).split(".");
    const { sub, video } = JSON.parse(atob(claims)) as { sub: string; video: Record<string, unknown> };
    assert.equal({ sub, ...video }, {
      sub: "alice",
      room: "room",
      roomJoin: true,
      canPublish: true,
      canPublishData: false,
      canSubscribe: true,
    });
    await connect(server, "alice", "room");
    const stranger = { ...server, token: () => server.token("mallory", "another", { roomJoin: false }) };
    await assertRejects(() => connect(stranger, "mallory", "room"));
  }));

for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"] as const) {
  test(`startServer, startRedis: both end with their process, even if that ends by ${signal}`, async () => {
    const [program, ...args] = programCommand("tests/fixtures/livekit_holder");
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    try {
      const [line] = await once(createInterface({ input: child.stdout }), "line") as [string];
      const urls = JSON.parse(line) as string[];
      assert.is(urls.length, 2);
      assert.equal(await Promise.all(urls.map(answers)), [true, true]);
      const closed = once(child, "close");
      process.kill(child.pid ?? NaN, signal);
      await closed;
      await Promise.all(urls.map(untilSilent));
    } finally {
      child.kill("SIGKILL");
    }
  });
}

test.after(disposeAll);
test.run();

interface Heard {
  from: string | undefined;
  text: string;
  topic: string | undefined;
}

function nextData(room: Awaited<ReturnType<typeof connect>>): Promise<Heard> {
  return new Promise((resolve) => {
    room.once(RoomEvent.DataReceived, (payload, participant, _kind, topic) => {
      resolve({ from: participant?.identity, text: new TextDecoder().decode(payload), topic });
    });
  });
}

async function assertRejects(action: () => Promise<unknown>): Promise<void> {
  const error = await action().then(() => undefined, (reason: unknown) => reason);
  assert.instance(error, Error);
}

/** Resolves when the server no longer listens: the test's limit bounds the wait. */
async function untilSilent(url: string): Promise<void> {
  while (await answers(url)) await new Promise((resolve) => setTimeout(resolve, 10));
}
