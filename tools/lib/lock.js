// Locks between processes of this project's folder.
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import process from "node:process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { root } from "./runtime.js";

const cache = join(root, ".cache");

/** Runs `body` under a named lock. Rejects after waiting for `seconds`. */
export async function withLock(name, seconds, body) {
  const file = join(cache, `${name}.lock`);
  await lock(file, name, seconds);
  try {
    return await body();
  } finally {
    rmSync(file, { force: true });
  }
}

async function lock(file, name, seconds) {
  mkdirSync(cache, { recursive: true });
  const deadline = performance.now() + seconds * 1000;
  while (!tryLock(file)) {
    if (performance.now() > deadline) throw new Error(`Cannot ${name} as another process holds the lock: file is "${file}"`);
    dropIfAbandoned(file);
    await delay(50);
  }
}

function tryLock(file) {
  try {
    const descriptor = openSync(file, "wx");
    writeSync(descriptor, String(process.pid));
    closeSync(descriptor);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  }
}

function dropIfAbandoned(file) {
  try {
    const holder = Number(readFileSync(file, "utf8"));
    if (holder > 0 && !isAlive(holder)) renameSync(file, `${file}.${process.pid}`); // the rename succeeds in one process only
    rmSync(`${file}.${process.pid}`, { force: true });
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
