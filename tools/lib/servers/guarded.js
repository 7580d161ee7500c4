// Foreign programs (a LiveKit server, Redis) that must not outlive this process, whatever ends it: an exception, a signal, SIGKILL.
import { spawn } from "node:child_process";
import process from "node:process";

/** What is kept of a program's output, to say why it ended. */
const OUTPUT_CHARACTERS = 20_000;

/**
 * A shell that becomes the program (its process id is the program's), after it has left a guard behind: one that reads a pipe of which
 * only this process has the other end. The kernel closes that, however this process ends, and the guard kills. It is there before the
 * program is, so that there is no moment without it, and holds none of the program's outputs open.
 */
const GUARD = `exec 3<&0
(trap '' HUP INT TERM; read -r _; kill -KILL $$) <&3 >/dev/null 2>&1 &
exec "$@" </dev/null 3<&-`;

/**
 * Starts a program. `output` is "inherit", or "keep" for the last of it, to be asked for by `output()`. It ends by SIGKILL: a LiveKit
 * server that is told to stop by another signal keeps its port until its rooms are empty.
 */
export function startGuarded(command, { env = process.env, output = "keep" } = {}) {
  const guarded = process.platform === "win32" ? command : ["/bin/sh", "-c", GUARD, "sh", ...command];
  const how = output === "inherit" ? "inherit" : "pipe";
  const child = spawn(guarded[0], guarded.slice(1), { env, stdio: ["pipe", how, how] });
  let kept = "";
  const take = (text) => {
    kept = (kept + text).slice(-OUTPUT_CHARACTERS);
  };
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", take);
  child.stdin.on("error", () => {}); // nothing is ever written to it
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
    /** Resolves with `{ code, signal }` when it has ended, by whatever. */
    ended,
    isRunning: () => running,
    output: () => kept,
    /** Resolves when it is gone. */
    kill: async () => {
      if (running) child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Resolves when `ready()` is true; rejects when the program ends first, or after `seconds`. Looks every 20 ms. */
export async function untilReady(program, name, ready, seconds = 20) {
  const deadline = performance.now() + seconds * 1000;
  while (!await ready()) {
    if (!program.isRunning()) {
      const { code, signal } = await program.ended;
      throw new Error(`Cannot start ${name} as it ended: code is ${code}, signal is ${signal}, its output:\n${program.output()}`);
    }
    if (performance.now() > deadline) {
      await program.kill();
      throw new Error(`Cannot start ${name} as it does not answer after ${seconds} s, its output:\n${program.output()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
