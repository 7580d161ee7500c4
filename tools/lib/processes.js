// Child processes with an end: a limit of time, their output kept, and none left behind when the parent is told to stop.
import { spawn } from "node:child_process";
import process from "node:process";
import { root } from "./runtime.js";

const running = new Set();

const ended = { SIGINT: () => endAll(130), SIGTERM: () => endAll(143) };

/**
 * Runs a command and keeps what it prints, both streams as one. `seconds` bounds it; `onOutput` sees the text as it grows and may end
 * the process by the function it is given. Never rejects: a command that cannot be started has code 127.
 */
export function run(command, { cwd = root, env = {}, seconds = 600, onOutput } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: process.platform !== "win32", // a group of its own, so that what it started ends with it
    });
    let output = "";
    let late = false;
    add(child);
    const limit = setTimeout(() => {
      late = true;
      killTree(child);
    }, seconds * 1000);
    const take = (text) => {
      output += text;
      onOutput?.(output, () => killTree(child));
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", take);
    const end = (code) => {
      clearTimeout(limit);
      remove(child);
      resolve({ code, output, late });
    };
    child.once("error", (error) => {
      output += `${error.message}\n`;
      end(127);
    });
    child.once("close", (code) => end(code ?? 1));
  });
}

/** The signals are taken only while there are children: a program that is run in this process has its own use for them. */
function add(child) {
  if (running.size === 0) { for (const [signal, handler] of Object.entries(ended)) process.on(signal, handler); }
  running.add(child);
}

function remove(child) {
  running.delete(child);
  if (running.size === 0) { for (const [signal, handler] of Object.entries(ended)) process.off(signal, handler); }
}

function endAll(code) {
  for (const child of running) killTree(child);
  process.exit(code);
}

function killTree(child) {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL");
  }
}
