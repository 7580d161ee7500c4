// npm run docs: makes the API reference as static pages from the doc comments, by Deno. Writes .cache/api/index.html.
import { readFileSync } from "node:fs";
import process from "node:process";
import { join } from "node:path";
import { run } from "./lib/processes.js";
import { commandFor, root } from "./lib/runtime.js";
import { runtimeProgram } from "./lib/runtimes.js";

/** Entries whose names another one has: those of pages. */
const OF_PAGES = ["./browser", "./livekit-client"];

const { exports } = JSON.parse(readFileSync(join(root, "deno.json"), "utf8"));
const entries = Object.keys(exports).filter((name) => !OF_PAGES.includes(name)).map((name) => exports[name]);
const output = join(root, ".cache", "api");

const [deno] = commandFor("deno", await runtimeProgram("deno"));
const command = [deno, "doc", "--html", "--name=Millrace", `--output=${output}`, ...entries];
const { code, output: messages } = await run(command, { cwd: root, seconds: 120 });
if (code !== 0) console.error(messages.trim());
else console.log(`Open ${join(output, "index.html")}`);
process.exitCode = code === 0 ? 0 : 1;
