import type { Endpoint } from "comlink";
import type { Job, JobResult } from "../jobs/job.ts";
import type { JobPlatform } from "../jobs/engine.ts";

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

/** `Worker` of node:worker_threads by some of its members: a page's program has no types of Node. */
interface Thread {
  readonly threadId: number;
  postMessage(value: never): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}

/** Worker started by a user's program: of node:worker_threads, or of the web. */
export type StartedWorker = Thread | Worker;

/** A worker of the pool. */
export interface WorkerHandle extends WorkerThread {
  /** Runs jobs in order. Rejects if the worker ends without an answer. */
  run(jobs: readonly Job[]): Promise<readonly JobResult[]>;
}

/** Starts a worker: by a user's function, or else on Millrace's own entry. Throws if that is impossible. */
export type StartWorker = (start: (() => StartedWorker) | undefined) => WorkerHandle;

/** Means of a platform to run a pool. */
export interface PoolPlatform extends JobPlatform {
  /** Number of workers that run at the same time. */
  readonly parallelism: number;
  /** Whether a job of `bytes` bytes is done sooner on the calling thread than by a worker. */
  runsHere(job: Job, bytes: number): boolean;
  /** Loads the module that starts threads, and comlink, which only a pool with jobs needs. */
  loadThreads(): Promise<StartWorker>;
}
