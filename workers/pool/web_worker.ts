// Web Workers, in pages and on Deno.
import type { Endpoint } from "comlink";
import { READY } from "../jobs/worker_api.ts";
import type { SpawnedThread } from "./worker.ts";

/** Idle time after which a Web Worker is ended, in ms: it cannot be unref'd. */
const WEB_WORKER_IDLE_MS = 250;

/** Longest step of a worker that was ended, in ms: until then it may write memory. */
const LAST_STEP_MS = 100;

/** Whether a value is a Web Worker, or behaves like one. */
export function isWebWorker(value: unknown): value is Worker {
  return typeof value === "object" && value !== null && "postMessage" in value && "addEventListener" in value &&
    "terminate" in value;
}

/** Watches a Web Worker's life. One that is idle for `idleMs` milliseconds is ended. */
export function watchWebWorker(worker: Worker, idleMs: number = WEB_WORKER_IDLE_MS): SpawnedThread {
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
      idle = setTimeout(() => end(0), idleMs);
    },
    terminate: () => end(idle === undefined ? LAST_STEP_MS : 0),
  };
}
