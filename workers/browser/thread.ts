import type { StartedWorker, WorkerHandle } from "../pool/worker.ts";
import { isWebWorker, watchWebWorker } from "../pool/web_worker.ts";
import { workerOf } from "../pool/worker_handle.ts";
import { withCopies } from "./copied_jobs.ts";
import { hasSharedMemory } from "./engine.ts";

/** Idle time after which a page's worker is ended, in ms: a page lives long, and a worker starts in some 20 ms. */
const IDLE_MS = 30_000;

/** Starts a Web Worker by `start`, or on `entry.js` beside this file. Throws if neither is possible. */
export function startWebWorker(start: (() => StartedWorker) | undefined): WorkerHandle {
  // Vite and webpack find the worker by these words, as they are.
  const worker = start?.() ?? new Worker(new URL("./entry.js", import.meta.url), { type: "module", name: "millrace-codec" });
  if (!isWebWorker(worker)) {
    throw new TypeError(`Cannot use the worker as option "worker" must return a Worker: it returned ${typeof worker}`);
  }
  const handle = workerOf(watchWebWorker(worker, IDLE_MS));
  return hasSharedMemory() ? handle : withCopies(handle);
}
