// npm run docs: makes the API reference as static pages from the doc comments, by Deno. Writes .cache/api/index.html.
import process from "node:process";
import { join } from "node:path";
import { run } from "./lib/processes.js";
import { commandFor, root } from "./lib/runtime.js";
import { runtimeProgram } from "./lib/runtimes.js";

const ENTRIES = [
  "mod.ts",
  "transports/livekit/mod.ts",
  "actors/mod.ts",
  "diagnostics/mod.ts",
  "integrations/livekit_agents/mod.ts",
];
const output = join(root, ".cache", "api");

const [deno] = commandFor("deno", await runtimeProgram("deno"));
const command = [deno, "doc", "--html", "--name=Millrace", `--output=${output}`, ...ENTRIES];
const { code, output: messages } = await run(command, { cwd: root, seconds: 120 });
if (code !== 0) console.error(messages.trim());
else console.log(`Open ${join(output, "index.html")}`);
process.exitCode = code === 0 ? 0 : 1;
