// node tools/acceptance/agent_project.js: tries the README's lines for a LiveKit agent as a new user would. Makes an empty project, installs the
// pack and @livekit/agents there by the README's command, and talks with the agent by the README's program. Says how long each took.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { join } from "node:path";
import { buildIfStale } from "../lib/build.js";
import { mustRun } from "../lib/processes.js";
import { executable, root } from "../lib/runtime.js";
import { startGuarded, untilReady } from "../lib/servers/guarded.js";
import { startOwnServer } from "../lib/servers/own_server.js";
import { note, tally } from "../lib/tally.js";

/** Time for the chat, in ms. */
const CHAT_MS = 30_000;

const folder = mkdtempSync(join(tmpdir(), "millrace-agent-"));
const programs = [];

await tally(main, async () => {
  for (const program of programs.reverse()) await program.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function main() {
  await buildIfStale();
  const { blocks: [agentText, chatText], commands } = linesOfReadme();
  await mustRun(["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", folder]);
  const pack = readdirSync(folder).find((name) => name.endsWith(".tgz"));

  const begun = performance.now();
  const seconds = () => ((performance.now() - begun) / 1000).toFixed(1);
  for (const command of commands.filter((line) => line.startsWith("npm "))) {
    await mustRun(["/bin/sh", "-c", command.replace(/PATH\/\S+/, join(folder, pack))], { cwd: folder, seconds: 300 });
  }
  writeFileSync(join(folder, "agent.js"), agentText);
  writeFileSync(join(folder, "chat.js"), chatText);
  note(true, `the README's lines for an agent: installed in ${seconds()} s`);

  const { server, env: variables } = await startOwnServer(console.log);
  programs.push(server);
  const env = { ...process.env, ...variables };
  const agent = startGuarded([executable, join(folder, "agent.js"), "dev"], { env });
  programs.push(agent);
  await untilReady(agent, "the agent", () => agent.output().includes("registered worker"), 60);
  const { code, output } = await chat(env);
  const good = code === 0 && output.includes("Say Hello.\n") && output.includes("I have read you.\n");
  note(good, `the README's lines for an agent: answered after ${seconds()} s`, `${output}\ncode is ${code}\n${agent.output()}`);
}

/** Code blocks of the section on LiveKit's agents, which are JavaScript as well, and its command lines. */
function linesOfReadme() {
  const text = readFileSync(join(root, "README.md"), "utf8");
  const [, section = ""] = /^### In a LiveKit agent\n([^]*?)^## /m.exec(text) ?? [];
  const blocks = [...section.matchAll(/^```ts no-run\n([^]*?)^```/gm)].map(([, code]) => code);
  const [, commands] = /^```\n(npm [^]*?)^```/m.exec(section) ?? [];
  if (blocks.length !== 2 || commands === undefined) {
    throw new Error('Cannot find the lines as README.md must have two programs and commands below "In a LiveKit agent"');
  }
  return { blocks, commands: commands.trim().split("\n") };
}

/** Talks with the agent: its greeting comes, a line goes, its answer comes, and stdin ends. */
async function chat(env) {
  const child = spawn(executable, [join(folder, "chat.js")], { env, stdio: ["pipe", "pipe", "pipe"] });
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
