import type { Task } from "./seat.ts";

/** Jobs in their order, of which only so many bytes are let through at a time. */
export class JobQueue {
  readonly #maxBytes: number;
  /** Let through, and waiting for a worker. */
  readonly #next: Task[] = [];
  /** Waiting for a place among those. */
  readonly #outside: Task[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of what was let through and has not left. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Jobs that could be taken now. */
  get ready(): number {
    return this.#next.length;
  }

  /** Jobs that have not been taken. */
  get waiting(): number {
    return this.#next.length + this.#outside.length;
  }

  /** Whether the next one was given to a worker before. */
  get isRetryNext(): boolean {
    return isRetry(this.#next[0]);
  }

  push(task: Task): void {
    this.#outside.push(task);
    this.#letThrough();
  }

  /** Puts jobs that were taken back to the front. */
  putBack(tasks: readonly Task[]): void {
    this.#next.unshift(...tasks);
  }

  /** Takes the next jobs; one that is tried again only by itself. Their bytes count until they leave. */
  take(most: number): Task[] {
    let count = 1;
    while (count < most && !isRetry(this.#next[count - 1]) && !isRetry(this.#next[count])) count++;
    return this.#next.splice(0, count);
  }

  /** A job that was taken is over. */
  leave(task: Task): void {
    this.#bytes -= task.cost;
    this.#letThrough();
  }

  /** Takes a job out that nobody has begun; one that runs stays, as its memory is in use until its answer. */
  remove(task: Task): void {
    if (without(this.#outside, task)) this.#letThrough();
    else if (without(this.#next, task)) this.leave(task);
  }

  /** Takes all out. */
  clear(): readonly Task[] {
    this.#bytes = 0;
    return [...this.#next.splice(0), ...this.#outside.splice(0)];
  }

  #letThrough(): void {
    for (let first = this.#outside[0]; first !== undefined && this.#hasRoomFor(first); first = this.#outside[0]) {
      this.#outside.shift();
      this.#next.push(first);
      this.#bytes += first.cost;
    }
  }

  /** A job larger than the bound passes when it is alone. */
  #hasRoomFor(task: Task): boolean {
    return this.#bytes === 0 || this.#bytes + task.cost <= this.#maxBytes;
  }
}

function isRetry(task: Task | undefined): boolean {
  return task !== undefined && task.attempts > 0;
}

function without(tasks: Task[], task: Task): boolean {
  const index = tasks.indexOf(task);
  if (index >= 0) tasks.splice(index, 1);
  return index >= 0;
}
