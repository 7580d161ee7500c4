// Threads and their comlink endpoints: node:worker_threads, or Web Workers if the modules were loaded over HTTP (Deno with JSR). Only Web
// Workers can load their entry over HTTP.
import { Worker as Thread } from "node:worker_threads";
import { isError } from "../../common/realms.ts";
import { READY } from "../jobs/worker_api.ts";
import { isServed, portEndpoint } from "../entry/endpoint.ts";
import { ownEntry } from "../entry/own_entry.ts";
import { isWebWorker, watchWebWorker } from "./web_worker.ts";
import type { SpawnedThread, StartedWorker, WorkerHandle } from "./worker.ts";
import { workerOf } from "./worker_handle.ts";

/** Longest step of a thread that Deno has reported as ended, in ms: until then the thread may write memory. */
const LAST_STEP_MS = 100;

/** Starts a worker by `start`, or on `entry.js`. Throws if neither is possible; no other program is executed. */
export function startWorker(start: (() => StartedWorker) | undefined): WorkerHandle {
  return workerOf(spawn(start));
}

function spawn(start: (() => StartedWorker) | undefined): SpawnedThread {
  const options = { name: "millrace-codec" };
  if (start === undefined) {
    return isServed()
      ? watchWebWorker(new Worker(ownEntry(), { type: "module", ...options }))
      : watchThread(new Thread(ownEntry(), options));
  }
  const worker: unknown = start();
  if (worker instanceof Thread) return watchThread(worker);
  if (isWebWorker(worker)) return watchWebWorker(worker);
  throw new TypeError(`Cannot use the worker as option "worker" must return a Worker: it returned ${typeof worker}`);
}

function watchThread(thread: Thread): SpawnedThread {
  let failure: Error | undefined;
  let busy = true;
  thread.on("error", (error) => failure = isError(error) ? error : new Error(String(error)));
  return {
    endpoint: portEndpoint(thread),
    ready: new Promise((resolve) => {
      thread.on("message", function listen(message: unknown) {
        if (message !== READY) return;
        thread.off("message", listen);
        resolve();
      });
    }),
    gone: new Promise((resolve) => {
      thread.once("exit", () => {
        if (busy && "Deno" in globalThis) setTimeout(() => resolve(failure), LAST_STEP_MS);
        else resolve(failure);
      });
    }),
    ref: () => {
      busy = true;
      thread.ref();
    },
    unref: () => {
      busy = false;
      thread.unref();
    },
    terminate: () => {
      thread.ref(); // keeps the process until the end is seen
      void thread.terminate();
    },
  };
}
