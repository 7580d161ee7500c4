// The project's scripts by a user's command: a signal to npm (Bun, Deno) alone reaches the processes that it has started.
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { suite } from "../support/harness.ts";
import { ExampleProgram } from "../support/livekit/example_program.ts";
import { projectRoot } from "../../bench/support/project_root.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const test = suite("npm scripts");
const root = projectRoot();

test("npm scripts: each replaces npm's shell, which would keep signals to itself", () => {
  for (const [name, command] of Object.entries(tableOf("package.json", "scripts"))) {
    assert.match(command, /^exec node tools\/(?:\w+\/)?\w+\.js( --[\w=]+)*$/, name);
  }
});

test("Deno tasks: there is one for each npm script, as Deno's shell has no exec", () => {
  const tasks = tableOf("deno.json", "tasks");
  for (const [name, command] of Object.entries(tableOf("package.json", "scripts"))) {
    if (name !== "prepack") assert.is(tasks[name], command.replace("exec node", "deno run -A"), name);
  }
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(
    `npm scripts: ${signal} to the program that runs a script ends the processes it started`,
    () =>
      inTemporaryFolder(async (folder) => {
        const file = join(folder, "sample.bin");
        await writeFile(file, new Uint8Array(30_000_000));
        await using program = new ExampleProgram(start("--rate=1000000", file), { cwd: root, env: { TMPDIR: folder } });
        await program.printed(/\d %/);
        program.signal(signal);
        await program.leftNothing();
        assert.match(program.err, /Interrupted: the streams were aborted/);
      }),
    { seconds: 25 },
  );
}

test.run();

/** Command `npm start -- ...`, or the README's command for the runtime of this test. */
function start(...args: string[]): [string, ...string[]] {
  if ("Deno" in globalThis) return [process.execPath, "task", "start", ...args];
  if (process.versions["bun"] !== undefined) return [process.execPath, "--bun", "run", "start", ...args];
  return ["npm", "start", "--", ...args];
}

function tableOf(file: string, key: "scripts" | "tasks"): Record<string, string> {
  return (JSON.parse(readFileSync(join(root, file), "utf8")) as Record<typeof key, Record<string, string>>)[key];
}
