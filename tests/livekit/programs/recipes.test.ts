// needs: agent-packages
// A recipe of examples/agents in a room of a real server: the AI SDK's words for runtimes and for LiveKit's SDK alone.
import * as assert from "uvu/assert";
import { fakes, recipes, type Script } from "../../support/agents/recipes.ts";
import { suite } from "../../support/harness.ts";
import { LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
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

test.after(() => rooms.close());
test.run();

function script(ending: Script["ending"]): Script {
  return { words: WORDS, ending, stopped: () => {} };
}
