// node tools/acceptance/chat_project.js: tries the README's lines for the AI SDK's chats as a new user would. Makes an empty project by the
// README's commands, runs the agent with a model without network, and chats with it on a page of Vite in Chromium. Says how long each took.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { join } from "node:path";
import { addViteConfig, inUserProject, linesOf, projectBy, withPage } from "../lib/checks/user_project.js";
import { executable, root } from "../lib/runtime.js";
import { startGuarded, untilReady } from "../lib/servers/guarded.js";
import { startOwnServer } from "../lib/servers/own_server.js";
import { note } from "../lib/tally.js";

/** Time for the chat, in ms. */
const CHAT_MS = 60_000;

/** Model of the AI SDK's tests, in place of the user's. */
const MODEL = `import { simulateReadableStream } from "ai";
import { MockLanguageModelV4 } from "ai/test";

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};
const model = new MockLanguageModelV4({
  doStream: async () => ({
    stream: simulateReadableStream({
      chunks: [
        { type: "text-start", id: "1" },
        ...["I have ", "read ", "you."].map((delta) => ({ type: "text-delta", id: "1", delta })),
        { type: "text-end", id: "1" },
        { type: "finish", finishReason: { unified: "stop", raw: undefined }, usage },
      ],
    }),
  }),
});
`;

const PAGE = '<!doctype html><body><script type="module" src="/src/chat_page.ts"></script>';

await inUserProject(async (home, programs) => {
  const { blocks: [served], commands } = linesOf("### With the AI SDK's chats");
  const { blocks: [connected] } = linesOf("## In your agent");
  const { folder, seconds } = await projectBy(commands, home);
  writeFileSync(join(folder, "agent.js"), MODEL + connected + served);
  mkdirSync(join(folder, "src"));
  for (const name of ["chat_page.ts", "ai_sdk_chat.ts"]) {
    copyFileSync(join(root, "examples", "agents", name), join(folder, "src", name));
  }
  addViteConfig(folder);
  writeFileSync(join(folder, "index.html"), PAGE);
  note(true, `the README's lines for the AI SDK's chats: installed in ${seconds()} s`);

  const { server, env: variables } = await startOwnServer(console.log);
  programs.push(server);
  const env = { ...process.env, ...variables };
  const agent = startGuarded([executable, join(folder, "agent.js")], { env });
  programs.push(agent);
  await untilReady(agent, "the agent", () => Promise.resolve(true), 60);
  await withPage(folder, [], env, async ({ page, url, told }) => {
    page.setDefaultTimeout(CHAT_MS);
    try {
      await page.goto(url);
      await page.getByLabel("Message").fill("Hello");
      await page.getByText("Send").click();
      await page.getByText("assistant: I have read you.").waitFor();
      note(told.length === 0, `the README's lines for the AI SDK's chats: answered after ${seconds()} s`, told.join("\n"));
    } catch (error) {
      const details = `${error.message}\n${told.join("\n")}\n${agent.output()}`;
      note(false, "the README's lines for the AI SDK's chats: no answer", details);
    }
  });
});
