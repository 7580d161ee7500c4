// Start of a program in this process, so that the program has its signals, its output and its exit code.
import process from "node:process";
import { pathToFileURL } from "node:url";
import { buildIfStale } from "./build.js";
import { runnable, runtime, runtimeLabel } from "./runtime.js";

/** Runs a program of the project in this process; by default with the arguments of this process. */
export async function launch(source, title, args = process.argv.slice(2)) {
  // Node restores the default handlers before it ends by itself, and a Ctrl-C that npm passes on late would kill the process.
  process.once("beforeExit", () => process.exit());
  if (title !== undefined) console.log(`${title} on ${runtimeLabel}`);
  try {
    if (runtime === "node" && await buildIfStale()) console.error("Built dist/ first, as a source had changed");
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
    return;
  }
  const program = runnable(runtime, source);
  process.argv.splice(1, process.argv.length, program, ...(args[0] === "--" ? args.slice(1) : args));
  await import(pathToFileURL(program).href);
}
