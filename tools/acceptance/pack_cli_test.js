// node tools/acceptance/pack_cli_test.js: packs the library and the command for npm, and installs both packs in an empty project.
// Uses the command there on Node, Bun and Deno: its help, its exit codes, and one transfer in a LiveKit room.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packCli } from "../lib/checks/cli_pack.js";
import { buildLivekitServer, livekitConfig, startLivekitServer } from "../lib/servers/livekit_server.js";
import { freePort } from "../lib/servers/ports.js";
import { mustRun, run } from "../lib/processes.js";
import { find } from "../lib/programs/programs.js";
import { root } from "../lib/runtime.js";
import { runtimeProgram } from "../lib/runtimes.js";
import { note, tally } from "../lib/tally.js";

const SIZE = 1_000_000;
const folder = mkdtempSync(join(tmpdir(), "millrace-cli-pack-"));
const project = join(folder, "project");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
let server;

await tally(async () => {
  await install();
  const { url, key, secret } = await startServer();
  const env = { NO_COLOR: "1", LIVEKIT_URL: url, LIVEKIT_API_KEY: key, LIVEKIT_API_SECRET: secret };
  for (const [name, command] of await commands()) await useOn(name, command, env);
}, async () => {
  await server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** Installs both packs from files, as no registry has the library. */
async function install() {
  mkdirSync(project);
  const cli = await packCli(folder);
  const made = await must(["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", folder], root);
  const library = join(folder, made.trim().split("\n").at(-1));
  const { overrides } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const manifest = { name: "uses-the-command", private: true, type: "module", overrides };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  await must(["npm", "install", "--no-audit", "--no-fund", "--prefer-offline", library, cli], project);
}

async function startServer() {
  const path = find("livekit") ?? await buildLivekitServer(console.log);
  const port = await freePort();
  const config = livekitConfig({ port, udpPort: await freePort() });
  server = await startLivekitServer(path, config, port);
  return config;
}

/** Commands by which `npx`, `bunx --bun` and `deno run -A npm:` start the installed command. */
async function commands() {
  const bin = join(project, "node_modules", ".bin", "millrace");
  return [
    ["node", [bin]],
    ["bun", [await runtimeProgram("bun"), "--bun", "run", "millrace"]],
    ["deno", [await runtimeProgram("deno"), "run", "-A", "npm:@millrace/cli"]],
  ];
}

async function useOn(name, command, env) {
  const millrace = (...words) => run([...command, ...words], { cwd: project, env, seconds: 60 });
  const shown = await millrace("--version");
  check(`version on ${name}`, shown.code === 0 && shown.output.trim() === version, shown);
  const help = await millrace("send", "--help");
  check(`help on ${name}`, help.code === 0 && help.output.includes("--attribute"), help);
  const wrong = await millrace("send");
  check(`wrong usage on ${name}`, wrong.code === 2 && wrong.output.startsWith("Cannot read the arguments"), wrong);

  const file = join(project, "report.bin");
  const data = new Uint8Array(SIZE).map((_, at) => at * at >> 3);
  writeFileSync(file, data);
  const inbox = join(project, `in-${name}`);
  const room = ["--room", name];
  const [received, sent] = await Promise.all([
    millrace("receive", "--dir", inbox, "--once", "--identity", "bob", ...room),
    millrace("send", "report.bin", "--to", "bob", "--identity", "alice", ...room),
  ]);
  const saved = join(inbox, "report.bin");
  const same = existsSync(saved) && readFileSync(saved).equals(data);
  const good = same && received.code === 0 && sent.code === 0 && sent.output.includes("bob: received 1.0 MB, checked");
  check(`a file on ${name}`, good, { output: `${received.output}\n${sent.output}` });
}

function must(command, cwd) {
  return mustRun(command, { cwd, seconds: 240 });
}

function check(title, good, { output }) {
  note(good, title, output);
}
