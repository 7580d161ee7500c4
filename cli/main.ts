#!/usr/bin/env node
import process from "node:process";
import { takeSignals } from "./interruption.ts";
import { joinRoom } from "./room.ts";
import { run } from "./run.ts";

/** Milliseconds after which the process ends though something keeps it: nothing of this command does, but it uses native code. */
const LINGER = 1_000;

const { signal, interrupt, release } = takeSignals();
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
release();
setTimeout(() => process.exit(), LINGER).unref();
