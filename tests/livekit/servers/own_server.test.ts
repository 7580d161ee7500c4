// `npm run livekit` as a process of its own, stopped by signals, as its users run it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { runtimeCommand } from "../../../bench/support/program_command.ts";
import { suite } from "../../support/harness.ts";
import { projectRoot } from "../../../bench/support/project_root.ts";
import { freePort } from "../../../bench/support/programs.ts";
import { connect, disposeAll, inRooms } from "../../support/livekit/rooms.ts";
import { startServer, tokenFor } from "../../../bench/support/server.ts";

const test = suite("npm run livekit");

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`npm run livekit: ${signal} ends the server, even with participants in a room`, () =>
    inRooms(async () => {
      const port = await freePort();
      const { code, out, err } = await run(["--port", String(port)], async (told, pid) => {
        const { url, key, secret } = settings(told);
        assert.is(url, `ws://127.0.0.1:${port}`);
        await connect(
          { url, token: (identity, room, grants) => tokenFor({ key, secret }, identity, room, grants) },
          "alice",
          "room",
        );
        // Not by child.kill(): after that, Deno gives the signal instead of the exit code. npm may pass a signal on once more, at any
        // moment.
        process.kill(pid, signal);
        process.kill(pid, signal);
      }, (pid) => void process.kill(pid, signal));
      assert.is(code, 0, err);
      assert.match(out, /The LiveKit server has ended\n$/);
      const again = await run(["--port", String(port)], (_, pid) => void process.kill(pid, signal)); // its ports are free
      assert.is(again.code, 0, again.err);
    }));
}

test("npm run livekit: an invalid or occupied port is one line of error", async () => {
  await using server = await startServer();
  const { port } = new URL(server.url);
  for (
    const [given, words] of [[port, `free: TCP port is ${port}`], ["http", 'port is "http"'], ["70000", '"70000"']] as const
  ) {
    const { code, err } = await run(["--port", given]);
    assert.is(code, 1);
    assert.is(err.trim().split("\n").length, 1, err);
    assert.ok(err.includes(words), err);
  }
});

test("npm run livekit -- --install: only prints where the server is", async () => {
  const { code, out } = await run(["--", "--install"]); // Bun and Deno pass on the dashes
  assert.is(code, 0);
  assert.is(out.trim(), process.env["LIVEKIT_SERVER"] ?? out.trim());
});

test.after(disposeAll);
test.run();

interface Outcome {
  code: number | null;
  out: string;
  err: string;
}

/** Runs the tool. `serving` is called when it has printed the server's address, `ending` when it has reported the end. */
async function run(
  args: string[],
  serving?: (out: string, pid: number) => Promise<void> | void,
  ending?: (pid: number) => void,
): Promise<Outcome> {
  const [program, ...rest] = runtimeCommand(join(projectRoot(), "tools", "livekit.js"), ...args);
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
  try {
    const outcome: Outcome = { code: null, out: "", err: "" };
    child.stderr.setEncoding("utf8").on("data", (text: string) => void (outcome.err += text));
    const told = new Promise<void>((resolve) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        outcome.out += text;
        if (/LIVEKIT_API_SECRET=.*\n/.test(outcome.out)) resolve();
        if (text.includes("has ended") && child.exitCode === null) ending?.(child.pid ?? NaN);
      });
      child.once("close", () => resolve());
    });
    const closed = once(child, "close").then(([code]) => void (outcome.code = code as number | null));
    await Promise.all([closed, told.then(() => child.exitCode === null && serving?.(outcome.out, child.pid ?? NaN))]);
    return outcome;
  } finally {
    child.kill("SIGKILL");
  }
}

function settings(out: string): { url: string; key: string; secret: string } {
  const value = (name: string): string => new RegExp(`${name}=(.*)`).exec(out)?.[1] ?? "";
  return { url: value("LIVEKIT_URL"), key: value("LIVEKIT_API_KEY"), secret: value("LIVEKIT_API_SECRET") };
}
