// Child processes with a time limit. Their output is kept, and a signal to the parent ends them too.
import { spawn } from "node:child_process";
import process from "node:process";
import { root } from "./runtime.js";

const running = new Set();

const ended = { SIGINT: () => endAll(130), SIGTERM: () => endAll(143) };

/**
 * Runs a command and keeps the output of both streams as one text. `seconds` is its time limit. `onOutput` gets the text as it grows, and a
 * function that kills the process. Never rejects: a command that cannot be started has code 127.
 */
export function run(command, { cwd = root, env = {}, seconds = 600, onOutput } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: process.platform !== "win32", // in a separate group, so that its own children end too
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

/** Runs a command and resolves with its output. Rejects if it fails: `action` begins the message. */
export async function mustRun(command, options = {}, action = "go on") {
  const { code, output } = await run(command, options);
  if (code !== 0) throw new Error(`Cannot ${action} as a command failed: "${command.join(" ")}"\n${output}`);
  return output;
}

/** Clones the project at its last commit. */
export async function cloneProject(target) {
  await mustRun(["git", "clone", "--quiet", "--no-local", root, target], { seconds: 120 }, "clone the project");
}

/** Handles signals while there are children; at other times they belong to a program in this process. */
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
