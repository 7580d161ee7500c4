// The demonstration as a process of its own, stopped by signals, as its users run it.
import { spawn } from "node:child_process";

import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { programCommand } from "../../bench/support/program_command.ts";
import { suite } from "../support/harness.ts";
import { inTemporaryFolder, randomFile } from "../support/temporary_folder.ts";

/** Bytes slow enough to be interrupted: 8 MB take 4 s. */
const SLOW = "--rate=2000000";

const test = suite("demo");

test("demo: a file goes to Bob, and Carol sees nothing of it", () =>
  inTemporaryFolder(async (folder) => {
    const file = await randomFile(folder, 3_000_000);
    const { code, out, err, left } = await runDemo(folder, [file]);
    assert.is(code, 0, err);
    assert.match(out, /as saved: the same/);
    assert.match(out, /carol +saw nothing of bob's file/);
    assert.match(out, /text +alice +open → writing → closing → closed/);
    assert.match(out, /bob +offered → receiving → closed/);
    assert.match(err, /100 % +3\.0 MB/);
    assert.equal(left, []);
  }), { seconds: 30 });

test("demo: an empty file is a file", () =>
  inTemporaryFolder(async (folder) => {
    const { code, out, err } = await runDemo(folder, [await randomFile(folder, 0)]);
    assert.is(code, 0, err);
    assert.match(out, /as saved: the same/);
  }), { seconds: 30 });

test("demo: a wrong file or option is one line of error", () =>
  inTemporaryFolder(async (folder) => {
    for (const [argument, words] of [["no-such-file", "no-such-file"], ["--what", "--what"], ["--rate=slow", "rate"]] as const) {
      const { code, err, left } = await runDemo(folder, [argument]);
      assert.is(code, 1);
      assert.is(err.trim().split("\n").length, 1, err);
      assert.ok(err.includes(words), err);
      assert.equal(left, []);
    }
  }), { seconds: 30 });

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`demo: ${signal} midway exits with 130, and leaves no partial file`, () =>
    inTemporaryFolder(async (folder) => {
      const file = await randomFile(folder, 8_000_000);
      let parts: string[] = [];
      const { code, err, left } = await runDemo(folder, [SLOW, file], async (pid) => {
        parts = (await filesIn(join(folder, "tmp"))).filter((path) => path.endsWith(".part"));
        // Not by child.kill(): after that, Deno gives the signal instead of the exit code. Twice, as npm passes a signal on once more.
        process.kill(pid, signal);
        process.kill(pid, signal);
      });
      assert.is(parts.length, 1, "a file was under way");
      assert.is(code, 130, err);
      assert.match(err, /Interrupted/);
      assert.equal(left, []);
    }), { seconds: 30 });
}

test.run();

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** Files left in the folder for temporary files. */
  readonly left: string[];
}

/** Runs the demonstration. `underWay` is called once a quarter of the file has gone. */
async function runDemo(folder: string, args: string[], underWay?: (pid: number) => Promise<void>): Promise<Outcome> {
  const temporary = join(folder, "tmp");
  await mkdir(temporary, { recursive: true });
  const [program, ...rest] = programCommand("examples/demo", ...args);
  const child = spawn(program, rest, {
    cwd: folder,
    env: { ...process.env, TMPDIR: temporary, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  let told: Promise<void> | undefined;
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
    if (underWay !== undefined && err.includes("%")) told ??= underWay(child.pid ?? NaN);
  });
  const code = await new Promise<number | null>((resolve, reject) => void child.once("error", reject).once("close", resolve));
  await told;
  return { code, out, err, left: await filesIn(temporary) };
}

async function filesIn(folder: string): Promise<string[]> {
  return await readdir(folder, { recursive: true });
}
