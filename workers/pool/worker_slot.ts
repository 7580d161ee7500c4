import type { Clock } from "../../common/clock.ts";
import { isError } from "../../common/realms.ts";
import type { Job, JobResult } from "../jobs/job.ts";
import type { WorkerHandle } from "./worker.ts";
import type { Segment } from "../segments.ts";

/** A job in the pool. */
export interface Task {
  readonly job: Job;
  readonly segment: Segment;
  readonly cost: number;
  /** Owner of the job; owners take turns. */
  readonly owner: string | undefined;
  /** Number of workers that have had the job. */
  attempts: number;
  /** Whether its caller has an answer, or has aborted. */
  settled: boolean;
  resolve(result: JobResult): void;
  reject(error: unknown): void;
}

/** Events of a slot to its pool. */
export interface SlotEvents {
  ready(): void;
  answered(slot: WorkerSlot, tasks: readonly Task[], results: readonly JobResult[]): void;
  /** Its worker crashed, hangs or never started; `tasks` have no answer. The slot is dead. */
  lost(slot: WorkerSlot, tasks: readonly Task[], failure: Error | undefined): void;
}

/** A worker's slot in the pool: its tasks, and a watch on its answers. */
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

  /** `patience` is the time without an answer after which a worker with jobs counts as hanging, in ms. */
  constructor(worker: WorkerHandle, events: SlotEvents, clock: Clock, patience: number) {
    this.#worker = worker;
    this.#events = events;
    this.#clock = clock;
    this.#patience = patience;
    this.#watchAgain(); // until it has started
    void worker.ready.then(() => this.#start());
    void worker.gone.then((failure) => this.#lose(failure));
  }

  /** Whether the worker has started. */
  get started(): boolean {
    return this.#started;
  }

  /** Whether the worker accepts jobs. */
  get ready(): boolean {
    return this.#started && !this.#lost;
  }

  /** Resolves when the worker's thread has ended. */
  get gone(): Promise<unknown> {
    return this.#worker.gone;
  }

  /** Number of unanswered jobs. */
  get jobs(): number {
    return this.#jobs;
  }

  /** Number of unanswered messages. */
  get batches(): number {
    return this.#batches.size;
  }

  /** Size of the unanswered jobs, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the worker has a repeated task, for itself alone: a deadly task must not take others with it. */
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
   * Ends the worker without an event to the pool. Returns its unanswered tasks, whose segments stay pinned until the thread has ended: a
   * hanging one may still write.
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

  /** Starts a timer that checks for answers since its start: one timer for many answers. */
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
