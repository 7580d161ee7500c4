// node tools/acceptance/fresh_clones.js [node | bun | deno ...]: tries the commit as a new user would.
// Makes a clone and an empty home for each runtime, without another runtime's packages. Runs that runtime's two commands of the README there,
// and a few tests by its own test command.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { delimiter, join } from "node:path";
import { cloneProject, run } from "../lib/processes.js";
import { root } from "../lib/runtime.js";
import { runtimeProgram } from "../lib/runtimes.js";
import { note, tally } from "../lib/tally.js";

/** Commands of the README's table, by runtime. The tests are few and quick, and cover workers, files and machines. */
const COMMANDS = {
  node: ["npm install", "npm start", "npm test -- codec. saving agent_actors reading"],
  bun: ["bun install", "bun --bun run start", "bun --bun run test codec. saving agent_actors reading"],
  deno: ["deno install", "deno task start", "deno task test codec. saving agent_actors reading"],
};

/** Commands with a missing file, by runtime. They must print one line and exit with an error code. */
const WRONG = { node: "npm start -- missing.bin", bun: "bun --bun run start missing.bin", deno: "deno task start missing.bin" };

/** Variables that would show packages or settings of this process or another install. */
const FOREIGN = /^(npm_|BUN_INSTALL|DENO_DIR|DENO_INSTALL|NODE_PATH|NODE_ENV|XDG_|INIT_CWD|LIVEKIT_|MILLRACE_)/;

const args = process.argv.slice(2);
const names = args.length > 0 ? args : Object.keys(COMMANDS);
const folder = mkdtempSync(join(tmpdir(), "millrace-clone-"));

await tally(async () => {
  for (const name of names) await tryOn(name);
}, () => rmSync(folder, { recursive: true, force: true }));

async function tryOn(name) {
  if (!(name in COMMANDS)) throw new Error(`Cannot try a clone: expected ${Object.keys(COMMANDS).join(", ")}, got "${name}"`);
  const clone = join(folder, name);
  const env = await environment(name);
  await cloneProject(clone);
  for (const command of COMMANDS[name]) await check(name, command, clone, env, (code) => code === 0);
  await check(
    name,
    WRONG[name],
    clone,
    env,
    (code, output) => code !== 0 && output.includes("missing.bin") && !/^\s+at /m.test(output),
  );
}

/** Makes an environment with an empty home and the programs of one runtime, besides Node. */
async function environment(name) {
  const home = join(folder, `home-${name}`);
  const bin = join(folder, `bin-${name}`);
  mkdirSync(home);
  mkdirSync(bin);
  if (name !== "node") symlinkSync(await runtimeProgram(name), join(bin, name));
  const kept = Object.entries(process.env).filter(([key]) => !FOREIGN.test(key));
  const path = (process.env.PATH ?? "").split(delimiter).filter((entry) =>
    !entry.startsWith(root) && !entry.includes("node_modules")
  );
  const hidden = Object.keys(process.env).filter((key) => FOREIGN.test(key)).map((key) => [key, undefined]);
  const own = { HOME: home, PATH: [bin, ...path].join(delimiter), NO_COLOR: "1" };
  return { ...Object.fromEntries(hidden), ...Object.fromEntries(kept), ...own };
}

async function check(name, command, cwd, env, isGood) {
  const started = performance.now();
  const { code, output } = await run(["sh", "-c", command], { cwd, env, seconds: 600 });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  note(isGood(code, output), `a clone on ${name}: ${command}, ${seconds} s`, `ended with code ${code}\n${output}`);
}
