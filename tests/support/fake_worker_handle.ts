import type { Job, JobResult } from "../../workers/jobs/job.ts";
import { blockingEngine } from "../../workers/node/blocking_engine.ts";
import { carryOut } from "../../workers/jobs/carry_out.ts";
import { runAtOnce } from "../../workers/jobs/steps.ts";
import type { WorkerHandle } from "../../workers/pool/worker.ts";

/** A worker that acts only when the test says so. */
export class FakeWorkerHandle implements WorkerHandle {
  readonly ready: Promise<void>;
  readonly gone: Promise<Error | undefined>;
  /** Unanswered messages, with their jobs. */
  readonly messages: (readonly Job[])[] = [];
  terminated = false;
  referenced = true;
  #start: () => void = () => undefined;
  #end: (failure: Error | undefined) => void = () => undefined;
  readonly #answers: ((results: readonly JobResult[]) => void)[] = [];

  constructor() {
    this.ready = new Promise((resolve) => this.#start = resolve);
    this.gone = new Promise((resolve) => this.#end = resolve);
  }

  run(jobs: readonly Job[]): Promise<readonly JobResult[]> {
    this.messages.push(jobs);
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  ref(): void {
    this.referenced = true;
  }

  unref(): void {
    this.referenced = false;
  }

  /** Only notes the call: a thread that hangs in the file system does not end either. */
  terminate(): void {
    this.terminated = true;
  }

  start(): void {
    this.#start();
  }

  /** Answers its oldest message. */
  answer(): void {
    this.#answers.shift()?.((this.messages.shift() ?? []).map((job) => runAtOnce(carryOut(job, blockingEngine))));
  }

  end(failure?: Error): void {
    this.#end(failure);
  }
}
