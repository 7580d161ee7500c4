#!/usr/bin/env node
import process from "node:process";
import { handleSignals } from "./signal_handlers.ts";
import { joinRoom } from "./room/join_room.ts";
import { run } from "./run.ts";

/** Milliseconds after which the process ends though something keeps it: nothing of this command does, but it uses native code. */
const LINGER = 1_000;

const { signal, interrupt } = handleSignals(); // until the process is gone: a Ctrl-C that npm passes on late is not to kill it
process.exitCode = await run(process.argv.slice(2), {
  get stdin() {
    return process.stdin; // only touched where it is read: a touched one keeps some runtimes alive
  },
  get stdout() {
    return process.stdout;
  },
  get stderr() {
    return process.stderr;
  },
  env: process.env,
  signal,
  interrupt,
  connect: joinRoom,
});
process.once("beforeExit", () => process.exit()); // on its way to an end of its own Node would give the signals back
setTimeout(() => process.exit(), LINGER).unref();
