// Threads and their comlink endpoints: node:worker_threads, or Web Workers if the modules were loaded over HTTP (Deno with JSR). Only Web
// Workers can load their entry over HTTP.
import type { Endpoint } from "comlink";
import { Worker as Thread } from "node:worker_threads";
import { isError } from "../../common/realms.ts";
import { isServed, portEndpoint, READY } from "../entry/endpoint.ts";
import { ownEntry } from "../entry/own_entry.ts";

/** Idle time after which a Web Worker is ended, in ms: it cannot be unref'd. */
const WEB_WORKER_IDLE_MS = 250;

/** Longest step of a thread that Deno has reported as ended, in ms: until then the thread may write memory. */
const LAST_STEP_MS = 100;

/** Lifecycle of a thread. */
export interface WorkerThread {
  /** Resolves when the thread listens. If the thread fails before, only `gone` resolves. */
  readonly ready: Promise<void>;
  /** Resolves when the thread has ended and cannot access memory; with the thread's error, if known. */
  readonly gone: Promise<Error | undefined>;
  /** Lets the thread keep the process alive, as a new thread does. */
  readonly ref: () => void;
  /** Lets the process end while the thread runs. */
  readonly unref: () => void;
  readonly terminate: () => void;
}

/** A started thread with its comlink endpoint. */
export interface SpawnedThread extends WorkerThread {
  readonly endpoint: Endpoint;
}

/** Worker started by a user's program: of node:worker_threads, or of the web. */
export type StartedWorker = Thread | Worker;

/** Starts a thread by `start`, or on `entry.js`. Throws if neither is possible; no other program is executed. */
export function spawn(start?: () => StartedWorker): SpawnedThread {
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

function isWebWorker(value: unknown): value is Worker {
  return typeof value === "object" && value !== null && "postMessage" in value && "addEventListener" in value &&
    "terminate" in value;
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

function watchWebWorker(worker: Worker): SpawnedThread {
  let failure: Error | undefined;
  let idle: ReturnType<typeof setTimeout> | undefined;
  let ended: (failure: Error | undefined) => void;
  const gone = new Promise<Error | undefined>((resolve) => ended = resolve);
  const end = (lastStep: number): void => {
    clearTimeout(idle);
    worker.terminate();
    setTimeout(() => ended(failure), lastStep);
  };
  worker.addEventListener("error", (event) => {
    event.preventDefault(); // otherwise Deno ends the whole program
    failure = new Error(event.message);
    end(0);
  });
  return {
    endpoint: worker as Endpoint,
    ready: new Promise((resolve) => {
      worker.addEventListener("message", function listen({ data }: MessageEvent) {
        if (data !== READY) return;
        worker.removeEventListener("message", listen);
        resolve();
      });
    }),
    gone,
    ref: () => {
      clearTimeout(idle);
      idle = undefined;
    },
    unref: () => {
      clearTimeout(idle);
      idle = setTimeout(() => end(0), WEB_WORKER_IDLE_MS);
    },
    terminate: () => end(idle === undefined ? LAST_STEP_MS : 0),
  };
}
