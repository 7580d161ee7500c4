// node tools/acceptance/command_lines.js: runs the command lines of README.md, cli/README.md and docs/ as typed, in a clone of the commit.
// They get a LiveKit server of their own. A command line that no table below lists fails, so that none is forgotten.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { delimiter, dirname, join } from "node:path";
import { commandLinesOf } from "../lib/checks/command_lines.js";
import { provide } from "../lib/programs/needs.js";
import { cloneProject, run } from "../lib/processes.js";
import { root } from "../lib/runtime.js";
import { runtimesFolder } from "../lib/runtimes.js";
import { note, tally } from "../lib/tally.js";

/** Documents whose command lines are run. */
const DOCUMENTS = ["README.md", "cli/README.md", "docs/reference.md", "docs/livekit.md", "docs/figures.md"];

/** Commands that start a server, one after the other; the first serves the command lines of IN_ROOMS. */
const SERVERS = ["npm run livekit", "bun --bun run livekit", "deno task livekit"];

/** Commands that end by themselves; FILE is a file of the clone. */
const ALONE = [
  "npm start -- FILE",
  "bun --bun run start FILE",
  "deno task start FILE",
  "npm test -- utf8 writing",
  "npm run docs",
];

/** Commands with the server's variables set, in this order. One with a text runs until the end, and prints the text before the next starts. */
const IN_ROOMS = [
  ["npm start -- --livekit"],
  ["npm run agent -- --room lobby", /listens in room/],
  [`pip install -r examples/python/requirements.txt && python examples/python/ask.py --room lobby "What is a stream?"`],
  ["npm run millrace -- receive --dir inbox --room office --identity bob", /Waiting for files in room/],
  ["npm run millrace -- send report.pdf --room office --identity alice --to bob"],
  ["npm run millrace -- send photos --room office --identity alice --receivers 1"],
  ["npm run millrace -- doctor --room office --identity dora --to bob"],
  ["npm run millrace -- chat --room office --identity carol"],
];

/** Commands that other programs run, or that are not run, by reason. */
const ELSEWHERE = {
  "tools/acceptance/fresh_clones.js": /^(npm|bun|deno) install$|^npm start$|^bun --bun run start$|^deno task start$/,
  "tools/acceptance/pack_test.js": /^npm install && npm pack$|^(npm install|bun add) PATH\/millrace-0\.1\.0\.tgz$/,
  "tools/acceptance/pack_cli_test.js, as the package is not published": /@millrace\/cli/,
  "tests/livekit/programs/cli.test.ts, by its program; the dots stand for options":
    /^(bun --bun run|deno task) millrace receive …$/,
  "tests/livekit/programs/cli.test.ts and tests/cli/cli_top.test.ts": /^millrace (top|doctor)\b/,
  "tests/repo/bench.test.ts and tests/livekit/programs/bench*.test.ts, briefly":
    /^(npm run|bun --bun run|deno task) bench(:\w+)?( |$)/,
  "tools/acceptance/bundles.js": /^bun build --compile|^node --build-sea$/,
  ".ci/run, or on another runtime what it runs": /^(\.ci\/run|npm test|npm run test:\w+|bun --bun run test|deno task test)$/,
  "tests/livekit/programs/web_demo.test.ts": /^(npm start --|bun --bun run start|deno task start) --web$/,
  "tools/acceptance/web_project.js, by other files of a project":
    /^npm create vite@latest$|^npm install (PATH\/millrace-0\.1\.0\.tgz )?livekit-client( livekit-server-sdk)?$|^npm run agent -- --room lobby --inbox inbox$/,
  "tools/acceptance/agent_project.js":
    /^npm init -y && npm pkg set type=module$|^npm install PATH\/millrace-0\.1\.0\.tgz @livekit\/agents @livekit\/rtc-node@0\.13 livekit-server-sdk$|^node (agent\.js dev|chat\.js)$/,
  "tools/acceptance/chat_project.js":
    /^npm install PATH\/millrace-0\.1\.0\.tgz @livekit\/rtc-node livekit-server-sdk livekit-client ai@7 @ai-sdk\/react@4 react react-dom vite$|^node agent\.js$|^npx vite$/,
  "tools/check.js by .ci/run": /^npm run check( -- docs)?$/,
  "nobody: a program of the user's own, by a package that is not ours": /^npx tsx program\.ts$/,
};

const folder = mkdtempSync(join(tmpdir(), "millrace-commands-"));
const clone = join(folder, "clone");
await tally(main, () => rmSync(folder, { recursive: true, force: true }));

async function main() {
  const { env: programs, missing } = await provide(["livekit", "python"], console.log);
  for (const [name, why] of missing) throw new Error(`Cannot run the command lines as ${name} must be installed: ${why}`);
  await prepare();
  reportUnknown();
  const path = [await runtimesFolder(), dirname(programs.MILLRACE_PYTHON), process.env.PATH ?? ""].join(delimiter);
  const env = { ...programs, PATH: path, NO_COLOR: "1" };
  for (const command of ALONE) await finish(begin(command, env));
  for (const [at, command] of SERVERS.entries()) {
    const server = begin(command, env, /LIVEKIT_API_SECRET=.*\n/);
    await server.ready;
    const variables = [...server.output().matchAll(/export (LIVEKIT_\w+)=(.*)/g)].map(([, name, value]) => [name, value]);
    if (at === 0) await inRooms({ ...env, ...Object.fromEntries(variables) });
    await finish(server);
  }
}

/** Makes a clone with the packages of this folder, and with the files that the documents send. */
async function prepare() {
  await cloneProject(clone);
  symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));
  mkdirSync(join(clone, "inbox"));
  mkdirSync(join(clone, "photos"));
  writeFileSync(join(clone, "photos", "one.jpg"), new Uint8Array(1_000));
  writeFileSync(join(clone, "report.pdf"), new Uint8Array(1_000_000));
}

function reportUnknown() {
  const known = [...SERVERS, ...ALONE, ...IN_ROOMS.map(([command]) => command)];
  const documents = DOCUMENTS.map((name) => readFileSync(join(clone, name), "utf8"));
  const inCi = readFileSync(join(clone, ".ci", "run"), "utf8");
  const commands = new Set(documents.flatMap(commandLinesOf));
  for (const command of commands) {
    if (command.startsWith("node tools/") && inCi.includes(command)) continue;
    if (known.includes(command) || Object.values(ELSEWHERE).some((pattern) => pattern.test(command))) continue;
    note(false, command, "Cannot run it as a table of tools/acceptance/command_lines.js must list it");
  }
  for (const command of known) if (!commands.has(command)) note(false, command, "No document has it");
}

async function inRooms(env) {
  const open = [];
  for (const [command, text] of IN_ROOMS) {
    const started = begin(command, env, text);
    if (text === undefined) await finish(started);
    else {
      open.push(started);
      await started.ready;
    }
  }
  for (const started of open) await finish(started);
}

/** Starts a command line. `ready` resolves when it has printed the text, or has ended. */
function begin(command, env, text) {
  let output = "";
  let kill;
  let resolveReady;
  const ready = new Promise((resolve) => resolveReady = resolve);
  const ended = run(["sh", "-c", command.replace("FILE", "report.pdf")], {
    cwd: clone,
    env,
    seconds: 180,
    onOutput: (all, end) => {
      output = all;
      kill = end;
      if (text?.test(all)) resolveReady();
    },
  }).then((result) => {
    resolveReady();
    return result;
  });
  return { command, text, ready, ended, output: () => output, kill: () => kill?.() };
}

/** Ends a command line and notes its outcome: it must end with 0, or have printed its text. */
async function finish({ command, text, ended, output, kill }) {
  if (text !== undefined) kill();
  const { code, output: all } = await ended;
  note(text === undefined ? code === 0 : text.test(output()), command, `ended with code ${code}\n${all}`);
}
