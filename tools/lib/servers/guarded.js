// Child programs, such as a LiveKit server, that end with this process, even after an exception, a signal or SIGKILL.
import { spawn } from "node:child_process";
import process from "node:process";

/** Length of the kept end of a program's output, in characters. */
const OUTPUT_CHARACTERS = 20_000;

/**
 * Shell script that starts a guard and then becomes the program, with the same process id. The guard reads a pipe whose other end only this
 * process has. The kernel closes the pipe when this process ends, and the guard kills the program. The guard starts before the program, and
 * does not keep the program's outputs open.
 */
const GUARD = `exec 3<&0
(trap '' HUP INT TERM; read -r _; kill -KILL $$) <&3 >/dev/null 2>&1 &
exec "$@" </dev/null 3<&-`;

/**
 * Starts a program. `output` is "inherit", or "keep" for the end of the output, which `output()` returns. `kill` sends SIGKILL: after
 * another signal a LiveKit server keeps its port until its rooms are empty.
 */
export function startGuarded(command, { env = process.env, output = "keep" } = {}) {
  const guarded = process.platform === "win32" ? command : ["/bin/sh", "-c", GUARD, "sh", ...command];
  const stream = output === "inherit" ? "inherit" : "pipe";
  const child = spawn(guarded[0], guarded.slice(1), { env, stdio: ["pipe", stream, stream] });
  let kept = "";
  const take = (text) => {
    kept = (kept + text).slice(-OUTPUT_CHARACTERS);
  };
  for (const source of [child.stdout, child.stderr]) source?.setEncoding("utf8").on("data", take);
  child.stdin.on("error", () => {}); // nothing is written to stdin
  let running = true;
  const ended = new Promise((resolve) => {
    const end = (code, signal) => {
      running = false;
      child.stdin.destroy();
      resolve({ code, signal });
    };
    child.once("error", (error) => {
      take(`${error.message}\n`);
      end(127, null);
    });
    child.once("close", end);
  });
  return {
    pid: child.pid,
    /** Promise of `{ code, signal }` at the program's end. */
    ended,
    isRunning: () => running,
    output: () => kept,
    /** Kills the program; resolves at its end. */
    kill: async () => {
      if (running) child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Resolves when `ready()` is true, checked every 20 ms. Rejects if the program ends first, or after `seconds`. */
export async function untilReady(program, name, ready, seconds = 20) {
  const deadline = performance.now() + seconds * 1000;
  while (!await ready()) {
    if (!program.isRunning()) {
      const { code, signal } = await program.ended;
      throw new Error(`Cannot start ${name} as it ended: code is ${code}, signal is ${signal}, its output:\n${program.output()}`);
    }
    if (performance.now() > deadline) {
      await program.kill();
      throw new Error(`Cannot start ${name} as it must answer within ${seconds} s, its output:\n${program.output()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
