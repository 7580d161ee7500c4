// node tools/acceptance/agent_project.js: tries the README's lines for a LiveKit agent as a new user would. Makes an empty project, installs the
// pack and @livekit/agents there by the README's command, and talks with the agent by the README's program. Says how long each took.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { join } from "node:path";
import { inUserProject, linesOf, projectBy } from "../lib/checks/user_project.js";
import { executable } from "../lib/runtime.js";
import { startGuarded, untilReady } from "../lib/servers/guarded.js";
import { startOwnServer } from "../lib/servers/own_server.js";
import { note } from "../lib/tally.js";

/** Time for the chat, in ms. */
const CHAT_MS = 30_000;

await inUserProject(async (home, programs) => {
  const { blocks: [agentText, chatText], commands } = linesOf("### In a LiveKit agent", 2);
  const { folder, seconds } = await projectBy(commands, home);
  writeFileSync(join(folder, "agent.js"), agentText);
  writeFileSync(join(folder, "chat.js"), chatText);
  note(true, `the README's lines for an agent: installed in ${seconds()} s`);

  const { server, env: variables } = await startOwnServer(console.log);
  programs.push(server);
  const env = { ...process.env, ...variables };
  const agent = startGuarded([executable, join(folder, "agent.js"), "dev"], { env });
  programs.push(agent);
  await untilReady(agent, "the agent", () => agent.output().includes("registered worker"), 60);
  const { code, output } = await chat(join(folder, "chat.js"), env);
  const good = code === 0 && output.includes("Say Hello.\n") && output.includes("I have read you.\n");
  note(good, `the README's lines for an agent: answered after ${seconds()} s`, `${output}\ncode is ${code}\n${agent.output()}`);
});

/** Talks with the agent: its greeting comes, a line goes, its answer comes, and stdin ends. */
async function chat(path, env) {
  const child = spawn(executable, [path], { env, stdio: ["pipe", "pipe", "pipe"] });
  const limit = setTimeout(() => child.kill("SIGKILL"), CHAT_MS);
  let output = "";
  const said = new Set();
  const say = (word, act) => {
    if (!output.includes(word) || said.has(word)) return;
    said.add(word);
    act();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
      say("Say Hello.\n", () => child.stdin.write("Hello\n"));
      say("I have read you.\n", () => child.stdin.end());
    });
  }
  const [code] = await once(child, "close");
  clearTimeout(limit);
  return { code, output };
}
