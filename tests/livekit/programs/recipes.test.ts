// needs: agent-packages
// A recipe of examples/agents in a room of a real server: the AI SDK's words for runtimes and for LiveKit's SDK alone.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { projectRoot } from "../../../bench/support/project_root.ts";
import { createRuntime, type Runtime } from "../../../mod.ts";
import { livekit } from "../../../transports/livekit/mod.ts";
import { fakes, recipes, type Script } from "../../support/agents/recipes.ts";
import { suite } from "../../support/harness.ts";
import { LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { closeRooms, connect, type Room } from "../../support/livekit/rooms.ts";
import { rejection } from "../../support/rejections.ts";
import { until } from "../../support/waiting.ts";

const test = suite("recipes in a room");
const rooms = await LiveKitRooms.start();

const WORDS = ["Let me ", "see: ", "42"];

test("serveModel(): a participant of the SDK asks by a text on the topic, and reads the words", () =>
  rooms.in(async (fixture) => {
    const { runtime: bob } = await fixture.join("bob");
    const dave = await fixture.plain("dave");
    recipes.serveModel(bob, fakes.fakeLanguageModel(script("whole")));
    const heard = new Promise<[string, string | undefined]>((resolve, reject) =>
      dave.registerTextStreamHandler("ask", (reader) => {
        reader.readAll().then((text) => resolve([text, reader.info.attributes?.["replyToId"]]), reject);
      })
    );
    const asked = await dave.localParticipant?.sendText("What is it?", { topic: "ask", destinationIdentities: ["bob"] });
    assert.equal(await heard, [WORDS.join(""), asked?.streamId]);
  }));

test("serveModel(): a runtime in the room gets words, and an error if the model fails midway", () =>
  rooms.in(async (fixture) => {
    const [alice, bob] = await fixture.acquaintedPair();
    recipes.serveModel(bob.runtime, fakes.fakeLanguageModel(script("failing")));
    const reader = await alice.runtime.request("bob", "ask", "What is it?", { reply: "text" });
    const { reason } = await rejection(() => reader.readAll(), "aborted");
    assert.is(reason, "the source failed");
    await until(() => bob.errors.length > 0);
    assert.match(bob.errors.map(({ message }) => message).join(), "sk-secret");
  }));

test("serveModel(): the model is stopped when the asker cancels, or its connection ends", () =>
  rooms.in(async (fixture) => {
    const [alice, bob] = await fixture.acquaintedPair();
    let stops = 0;
    recipes.serveModel(bob.runtime, fakes.fakeLanguageModel({ ...script("silent"), stopped: () => stops++ }));
    const reader = await alice.runtime.request("bob", "ask", "What is it?", { reply: "text" });
    await reader.cancel();
    await until(() => stops === 1);
    const second = await alice.runtime.request("bob", "ask", "And now?", { reply: "text" });
    const ended = rejection(() => second.readAll(), "disconnected");
    await alice.room.disconnect();
    await ended;
    await until(() => stops === 2);
  }));

test("README.md: the lines that get a token put the agent into its room, where it answers", async () => {
  await withAgentOfReadme(async (agent) => {
    recipes.serveModel(agent, fakes.fakeLanguageModel(script("whole")));
    const room = await connect(rooms.server, "alice", "lobby");
    const alice = await createRuntime({ transport: livekit(room) });
    const reader = await alice.request("agent", "ask", "What is it?", { reply: "text" });
    assert.is(await reader.readAll(), WORDS.join(""));
    await alice.close();
  });
});

test.after(() => rooms.close());
test.run();

function script(ending: Script["ending"]): Script {
  return { words: WORDS, ending, stopped: () => {} };
}

/** Runs the lines of README.md, which give the agent's Room and runtime, with the variables of the server. */
async function withAgentOfReadme(body: (agent: Runtime) => Promise<void>): Promise<void> {
  const section = /\n## In your agent\n[^]*?```ts no-run\n([^]*?)```/.exec(
    readFileSync(join(projectRoot(), "README.md"), "utf8"),
  );
  const folder = join(projectRoot(), ".cache", `agent-${process.pid}`);
  const file = join(folder, "agent.mjs");
  const { url: LIVEKIT_URL, key: LIVEKIT_API_KEY, secret: LIVEKIT_API_SECRET } = rooms.server;
  Object.assign(process.env, { LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET });
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(file, `${section?.[1] ?? ""}export { room, runtime };\n`);
    const { room, runtime } = await import(pathToFileURL(file).href) as { room: Room; runtime: Runtime };
    try {
      await body(runtime);
    } finally {
      await runtime.close();
      await room.disconnect();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await closeRooms();
  }
}
