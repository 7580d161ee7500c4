// The runner of tests, on a machine that lacks needed programs.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { runtimeCommand } from "../../bench/support/program_command.ts";
import { suite } from "../support/harness.ts";
import { projectRoot } from "../../bench/support/project_root.ts";

const test = suite("tools/test.js");

test("tools/test.js: files that lack a program are left out, and named at the end, before the sum", async () => {
  const { code, lines } = await runWithoutPrograms({ CI: "" });
  assert.is(code, 0);
  assert.ok(lines.some((line) => /^ok +tests\/actors\/deadlines\.test\.ts/.test(line)));
  const told = lines.findIndex((line) =>
    line.startsWith("Not run, for lack of what they need. Get it by node tools/install/peers.js")
  );
  assert.match(lines[told + 1] ?? "", /^ {2}tests\/livekit\/servers\/server\.test\.ts: .*redis/);
  assert.ok(lines.slice(told).some((line) => line.includes("redis: Cannot find Redis")));
  assert.match(lines.at(-1) ?? "", /^[1-9]\d* passed, 0 failed$/);
});

test("tools/test.js: with CI set, a left out file is a failure", async () => {
  const { code, lines } = await runWithoutPrograms({ CI: "true" });
  assert.is(code, 1);
  assert.ok(lines.some((line) => /^FAILED tests\/livekit\/servers\/server\.test\.ts: not run, as it lacks .*redis/.test(line)));
  assert.match(lines.at(-1) ?? "", /^[1-9]\d* passed, 1 failed$/);
});

test.run();

/** Runs the tests of a file that needs Redis, and of one that needs nothing. */
async function runWithoutPrograms(env: Record<string, string>): Promise<{ code: number | null; lines: string[] }> {
  const runner = join(projectRoot(), "tools", "test.js");
  const [program, ...args] = runtimeCommand(runner, "servers/server.test", "actors/deadlines.test");
  const { REDIS_SERVER: _, ...inherited } = process.env;
  const child = spawn(program, args, { env: { ...inherited, PATH: "", ...env }, stdio: ["ignore", "pipe", "inherit"] });
  try {
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => void (out += text));
    const [code] = await once(child, "close") as [number | null];
    return { code, lines: out.trimEnd().split("\n") };
  } finally {
    child.kill("SIGKILL");
  }
}
