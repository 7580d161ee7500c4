// needs: chromium, agent-packages
// The page of examples/agents chats by `useChat` with an agent on Node: words as they come, stop, a failing model, and a page that is loaded again.
import * as assert from "uvu/assert";
import type { Page } from "playwright-core";
import { fakes, recipes, type Script } from "../../support/agents/recipes.ts";
import { Chromium } from "../../support/browser/chromium.ts";
import { suite } from "../../support/harness.ts";
import { type LiveKitRoom, LiveKitRooms } from "../../support/livekit/livekit_rooms.ts";
import { until } from "../../support/waiting.ts";

const test = suite("chat of a page");
const rooms = await LiveKitRooms.start();
const chromium = await Chromium.start();
test.after(async () => {
  await chromium[Symbol.asyncDispose]();
  await rooms.close();
});

const WORDS = ["Let me ", "see: ", "42"];

test("useChat: the page shows what the model says", () =>
  served("whole", async (page) => {
    await ask(page);
    await shows(page, "assistant: Let me see: 42");
    await shows(page, "ready");
  }), { seconds: 60 });

test("useChat: stop() stops the model, and the page is ready again", () =>
  served("silent", async (page, stops) => {
    await ask(page);
    await shows(page, "assistant: Let me see: 42");
    await page.getByText("Stop").click();
    await until(() => stops() === 1);
    await shows(page, "ready");
  }), { seconds: 60 });

test("useChat: a model that fails midway is an error of the page, without its text", () =>
  served("failing", async (page) => {
    await ask(page);
    await page.waitForFunction("!/submitted|streaming|ready/.test(document.querySelector('[role=status]').textContent)");
    assert.not.match(await page.innerText("body"), "sk-secret");
  }), { seconds: 60 });

test(
  "useChat: a page that is loaded again in mid-answer resumes it from its beginning",
  () =>
    served("silent", async (page, stops) => {
      await ask(page);
      await shows(page, "assistant: Let me see: 42");
      await page.reload();
      await shows(page, "assistant: Let me see: 42");
      assert.is(stops(), 0);
      await page.getByText("Stop").click();
      await until(() => stops() === 1);
    }),
  { seconds: 60 },
);

test.run();

async function served(ending: Script["ending"], body: (page: Page, stops: () => number) => Promise<void>): Promise<void> {
  await rooms.in(async (room) => {
    let stops = 0;
    const { runtime } = await room.join("agent");
    await using _server = recipes.serveModelChat(
      runtime,
      fakes.fakeLanguageModel({ words: WORDS, ending, stopped: () => stops++ }),
    );
    const page = await opened(room);
    await body(page, () => stops);
    await page.close();
  });
}

async function opened({ server, name }: LiveKitRoom): Promise<Page> {
  const token = JSON.stringify({ url: server.url, token: await server.token("guest", name) });
  const page = await chromium.open({ entries: ["examples/agents/chat_page.ts"], files: { "/token": token } });
  await page.waitForSelector("form");
  return page;
}

async function ask(page: Page): Promise<void> {
  await page.getByLabel("Message").fill("What is it?");
  await page.getByText("Send").click();
}

async function shows(page: Page, text: string): Promise<void> {
  await page.waitForFunction((wanted) => document.body.innerText.includes(wanted), text);
}
