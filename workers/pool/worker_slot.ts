import type { Clock } from "../../common/clock.ts";
import { isError } from "../../common/realms.ts";
import type { Job, JobResult } from "../jobs/job.ts";
import type { WorkerHandle } from "./worker_handle.ts";
import type { Segment } from "../segments.ts";

/** A job on its way through the pool. */
export interface Task {
  readonly job: Job;
  readonly segment: Segment;
  readonly cost: number;
  /** Whose it is: owners take turns. */
  readonly owner: string | undefined;
  /** Workers it has been given to. */
  attempts: number;
  /** Its caller has been answered, or has given up. */
  settled: boolean;
  resolve(result: JobResult): void;
  reject(error: unknown): void;
}

/** Events of a slot to its pool. */
export interface SlotEvents {
  ready(): void;
  answered(slot: WorkerSlot, tasks: readonly Task[], results: readonly JobResult[]): void;
  /** Its worker crashed, hangs or never started; `tasks` have no answer. The slot is of no use any more. */
  lost(slot: WorkerSlot, tasks: readonly Task[], failure: Error | undefined): void;
}

/** A worker's place in the pool: what it has been given, and whether it still answers. */
export class WorkerSlot {
  readonly #worker: WorkerHandle;
  readonly #events: SlotEvents;
  readonly #clock: Clock;
  readonly #patience: number;
  readonly #batches = new Set<readonly Task[]>();
  #jobs = 0;
  #bytes = 0;
  #started = false;
  #lost = false;
  #answers = 0;
  #watch: unknown;

  /** `patience`: milliseconds without any answer after which a worker with something to do counts as hanging. */
  constructor(worker: WorkerHandle, events: SlotEvents, clock: Clock, patience: number) {
    this.#worker = worker;
    this.#events = events;
    this.#clock = clock;
    this.#patience = patience;
    this.#watchAgain(); // it has to start
    void worker.ready.then(() => this.#start());
    void worker.gone.then((failure) => this.#lose(failure));
  }

  /** True if it ever took jobs. */
  get started(): boolean {
    return this.#started;
  }

  /** True if it takes jobs. */
  get ready(): boolean {
    return this.#started && !this.#lost;
  }

  /** Resolves when its thread has ended. */
  get gone(): Promise<unknown> {
    return this.#worker.gone;
  }

  /** Jobs it has been given and has not answered. */
  get jobs(): number {
    return this.#jobs;
  }

  /** The messages they came in. */
  get batches(): number {
    return this.#batches.size;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A task that is tried again has its worker for itself: what killed the last one takes nobody with it. */
  get isReserved(): boolean {
    for (const batch of this.#batches) if (batch.some((task) => task.attempts > 1)) return true;
    return false;
  }

  give(batch: readonly Task[]): void {
    for (const task of batch) {
      task.attempts++;
      task.segment.pin();
      this.#bytes += task.cost;
    }
    this.#jobs += batch.length;
    this.#batches.add(batch);
    if (this.#batches.size === 1) {
      this.#worker.ref();
      this.#watchAgain();
    }
    this.#worker.run(batch.map(({ job }) => job)).then(
      (results) => this.#answered(batch, results),
      (error: unknown) => this.#lose(isError(error) ? error : undefined),
    );
  }

  /** Ends the worker, as a crash would. */
  crash(): void {
    this.#worker.terminate();
  }

  /**
   * Ends the worker without a word to the pool, and returns what it has not answered. Its segments stay pinned until the thread has
   * really ended: one that hangs may yet wake up and write.
   */
  abandon(): readonly Task[] {
    this.#lost = true;
    this.#clock.clearTimeout(this.#watch);
    const tasks = [...this.#batches].flat();
    this.#batches.clear();
    this.#jobs = 0;
    this.#bytes = 0;
    void this.gone.then(() => {
      for (const { segment } of tasks) segment.unpin();
    });
    this.#worker.terminate();
    return tasks;
  }

  #start(): void {
    if (this.#lost) return;
    this.#started = true;
    this.#rest();
    this.#events.ready();
  }

  #answered(batch: readonly Task[], results: readonly JobResult[]): void {
    if (!this.#batches.delete(batch)) return;
    this.#answers++;
    this.#jobs -= batch.length;
    for (const task of batch) {
      this.#bytes -= task.cost;
      task.segment.unpin();
    }
    if (this.#batches.size === 0) this.#rest();
    this.#events.answered(this, batch, results);
  }

  #rest(): void {
    this.#clock.clearTimeout(this.#watch);
    this.#worker.unref();
  }

  /** One timer for many answers: it looks whether any came since it was set. */
  #watchAgain(): void {
    const answers = this.#answers;
    this.#watch = this.#clock.setTimeout(() => {
      if (this.#answers === answers) this.#lose(new Error(`Worker has not answered for ${this.#patience} ms`));
      else this.#watchAgain();
    }, this.#patience);
  }

  #lose(failure: Error | undefined): void {
    if (this.#lost) return;
    this.#events.lost(this, this.abandon(), failure);
  }
}
