// The check of the documents' command lines: the lines that it finds.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { suite } from "../support/harness.ts";
import { projectRoot } from "../../bench/support/project_root.ts";

const test = suite("command lines");
const file = pathToFileURL(join(projectRoot(), "tools", "lib", "checks", "command_lines.js")).href;
const { commandLinesOf } = await import(file) as { commandLinesOf(markdown: string): string[] };

test("command lines: all in text, tables and plain blocks are found, once, without comments", () => {
  const text = [
    "Run `npm start` or `npm start -- FILE`, then `npm start`; `npm` is a name, `reader.saveTo` none.",
    "| all | `.ci/run` | `deno task start` |",
    "```",
    "npm run livekit   # a server",
    "pip install x && python y.py",
    "```",
    "```ts",
    "npm run nothing",
    "```",
    "and `bunx --bun a`",
  ];
  assert.equal(commandLinesOf(text.join("\n")), [
    "npm start",
    "npm start -- FILE",
    ".ci/run",
    "deno task start",
    "npm run livekit",
    "pip install x && python y.py",
    "bunx --bun a",
  ]);
});

test.run();
