#!/usr/bin/env node
import process from "node:process";
import { handleSignals } from "./signal_handlers.ts";
import { joinRoom } from "./room/join_room.ts";
import { run } from "./run.ts";

/** Time after which the process ends though native code keeps it alive, in ms. */
const EXIT_DELAY_MS = 1_000;

const { signal, interrupt } = handleSignals(); // until the process has ended: a Ctrl-C that npm passes on late must not kill it
process.exitCode = await run(process.argv.slice(2), {
  get stdin() {
    return process.stdin; // accessed only to read: an accessed stdin keeps some runtimes alive
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
process.once("beforeExit", () => process.exit()); // a Node that ends by itself would restore the signals' defaults
setTimeout(() => process.exit(), EXIT_DELAY_MS).unref();
