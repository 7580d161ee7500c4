import type { Job, JobResult } from "./jobs.ts";
import type { Lane } from "./lane.ts";
import type { Segment } from "./segments.ts";

/** The part of xstate's `Clock` that is needed here. */
export interface Timers {
  setTimeout(run: () => void, milliseconds: number): unknown;
  clearTimeout(id: unknown): void;
}

/** A job on its way through the pool. */
export interface Task {
  readonly job: Job;
  readonly segment: Segment;
  readonly cost: number;
  /** Workers it has been given to. */
  attempts: number;
  /** Its caller has been answered, or has given up. */
  settled: boolean;
  resolve(result: JobResult): void;
  reject(error: unknown): void;
}

/** What a seat tells its pool. */
export interface SeatEvents {
  ready(seat: Seat): void;
  answered(seat: Seat, task: Task, result: JobResult): void;
  /** Its worker crashed, hangs or never started; `tasks` have no answer. The seat is of no use any more. */
  lost(seat: Seat, tasks: readonly Task[], failure: Error | undefined): void;
}

/** A worker's place in the pool: what it has been given, and whether it still answers. */
export class Seat {
  readonly #lane: Lane;
  readonly #events: SeatEvents;
  readonly #timers: Timers;
  readonly #patience: number;
  readonly #tasks = new Set<Task>();
  #bytes = 0;
  #started = false;
  #lost = false;
  #answers = 0;
  #watch: unknown;

  /** `patience`: milliseconds without any answer after which a worker with something to do counts as hanging. */
  constructor(lane: Lane, events: SeatEvents, timers: Timers, patience: number) {
    this.#lane = lane;
    this.#events = events;
    this.#timers = timers;
    this.#patience = patience;
    this.#watchAgain(); // it has to start
    void lane.ready.then(() => this.#start());
    void lane.gone.then((failure) => this.#lose(failure));
  }

  /** Whether it ever took jobs. */
  get started(): boolean {
    return this.#started;
  }

  /** Whether it takes jobs. */
  get ready(): boolean {
    return this.#started && !this.#lost;
  }

  /** Resolves when its thread has ended. */
  get gone(): Promise<unknown> {
    return this.#lane.gone;
  }

  /** Jobs it has been given and has not answered. */
  get jobs(): number {
    return this.#tasks.size;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A task that is tried again has its worker for itself: what killed the last one takes nobody with it. */
  get isReserved(): boolean {
    for (const task of this.#tasks) if (task.attempts > 1) return true;
    return false;
  }

  give(task: Task): void {
    task.attempts++;
    task.segment.pin();
    this.#tasks.add(task);
    this.#bytes += task.cost;
    if (this.#tasks.size === 1) {
      this.#lane.ref();
      this.#watchAgain();
    }
    this.#lane.run(task.job).then(
      (result) => this.#answered(task, result),
      (error: unknown) => this.#lose(error instanceof Error ? error : undefined),
    );
  }

  /** Ends the worker, as a crash would. */
  crash(): void {
    this.#lane.terminate();
  }

  /**
   * Ends the worker without a word to the pool, and returns what it has not answered. Its segments stay pinned until the thread has
   * really ended: one that hangs may yet wake up and write.
   */
  abandon(): readonly Task[] {
    this.#lost = true;
    this.#timers.clearTimeout(this.#watch);
    const tasks = [...this.#tasks];
    this.#tasks.clear();
    this.#bytes = 0;
    void this.gone.then(() => {
      for (const { segment } of tasks) segment.unpin();
    });
    this.#lane.terminate();
    return tasks;
  }

  #start(): void {
    if (this.#lost) return;
    this.#started = true;
    this.#rest();
    this.#events.ready(this);
  }

  #answered(task: Task, result: JobResult): void {
    if (!this.#tasks.delete(task)) return;
    this.#bytes -= task.cost;
    this.#answers++;
    task.segment.unpin();
    if (this.#tasks.size === 0) this.#rest();
    this.#events.answered(this, task, result);
  }

  #rest(): void {
    this.#timers.clearTimeout(this.#watch);
    this.#lane.unref();
  }

  /** One timer for many answers: it looks whether any came since it was set. */
  #watchAgain(): void {
    if (this.#patience === Infinity) return;
    const answers = this.#answers;
    this.#watch = this.#timers.setTimeout(() => {
      if (this.#answers === answers) this.#lose(new Error(`Worker has not answered for ${this.#patience} ms`));
      else this.#watchAgain();
    }, this.#patience);
  }

  #lose(failure: Error | undefined): void {
    if (this.#lost) return;
    this.#events.lost(this, this.abandon(), failure);
  }
}
