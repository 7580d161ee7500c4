// node tools/fresh_clones.js [node | bun | deno ...]: tries the commit as a new user would. For each runtime: a clone in an empty folder, an
// empty home, that runtime's own two commands of the README, and a few tests by its own test command. Nothing of another's install is there.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { delimiter, join } from "node:path";
import { run } from "./lib/processes.js";
import { root } from "./lib/runtime.js";
import { runtimeProgram } from "./lib/runtimes.js";
import { note, tally } from "./lib/tally.js";

/** What the README's table says, by runtime; the tests are few and quick, with workers, files and machines among them. */
const COMMANDS = {
  node: ["npm install", "npm start", "npm test -- codec. saving agent_actors reading"],
  bun: ["bun install", "bun --bun run start", "bun --bun run test codec. saving agent_actors reading"],
  deno: ["deno install", "deno task start", "deno task test codec. saving agent_actors reading"],
};

/** One wrong input each: a file that is not there is told in a line, with an exit code. */
const WRONG = { node: "npm start -- missing.bin", bun: "bun --bun run start missing.bin", deno: "deno task start missing.bin" };

/** Variables that would bring along what this process or another install has. */
const FOREIGN = /^(npm_|BUN_INSTALL|DENO_DIR|DENO_INSTALL|NODE_PATH|NODE_ENV|XDG_|INIT_CWD|LIVEKIT_|MILLRACE_)/;

const asked = process.argv.slice(2);
const names = asked.length > 0 ? asked : Object.keys(COMMANDS);
const folder = mkdtempSync(join(tmpdir(), "millrace-clone-"));

await tally(async () => {
  for (const name of names) await tryOn(name);
}, () => rmSync(folder, { recursive: true, force: true }));

async function tryOn(name) {
  if (!(name in COMMANDS)) throw new Error(`Cannot try a clone as there is no such runtime: name is "${name}"`);
  const clone = join(folder, name);
  const env = await environment(name);
  const cloned = await run(["git", "clone", "--quiet", "--no-local", root, clone], { seconds: 120 });
  if (cloned.code !== 0) throw new Error(`Cannot clone the project:\n${cloned.output}`);
  for (const command of COMMANDS[name]) await check(name, command, clone, env, (code) => code === 0);
  await check(
    name,
    WRONG[name],
    clone,
    env,
    (code, output) => code !== 0 && output.includes("missing.bin") && !/^\s+at /m.test(output),
  );
}

/** An empty home, and no program of another runtime but Node: scripts of the project say by which runtime they are run. */
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
