import type { Task } from "./worker_slot.ts";

/** Job queue with a bound on the bytes of admitted jobs. Owners take turns, each with its jobs in order. */
export class JobQueue {
  readonly #maxBytes: number;
  /** Jobs of lost workers, taken again before all others. */
  readonly #again: Task[] = [];
  /** Admitted, and waiting for a worker. */
  readonly #next = new Turns();
  /** Waiting for admission. */
  readonly #outside = new Turns();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of admitted jobs that have not left. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of jobs that `take` can return. */
  get ready(): number {
    return this.#again.length + this.#next.size;
  }

  /** Number of jobs that have not been taken. */
  get waiting(): number {
    return this.ready + this.#outside.size;
  }

  /** Whether the next job is a retry. */
  get isRetryNext(): boolean {
    return this.#again.length > 0;
  }

  push(task: Task): void {
    this.#outside.push(task);
    this.#letThrough();
  }

  /** Queues taken jobs for a retry, ahead of all others. */
  putBack(tasks: readonly Task[]): void {
    this.#again.unshift(...tasks);
  }

  /** Takes the next jobs; a repeated job by itself. Their bytes count until they leave. */
  take(most: number): Task[] {
    const [retry] = this.#again.splice(0, 1);
    if (retry !== undefined) return [retry];
    const taken: Task[] = [];
    for (let task = this.#next.shift(); task !== undefined; task = this.#next.shift()) {
      taken.push(task);
      if (taken.length === most) break;
    }
    return taken;
  }

  /** Uncounts a taken job, which has ended. */
  leave(task: Task): void {
    this.#bytes -= task.cost;
    this.#letThrough();
  }

  /** Removes a job that no worker has. A running job stays until its answer, as its memory is in use. */
  remove(task: Task): void {
    if (this.#outside.remove(task)) this.#letThrough();
    else if (this.#next.remove(task) || without(this.#again, task)) this.leave(task);
  }

  /** Removes and returns all waiting jobs. */
  clear(): readonly Task[] {
    this.#bytes = 0;
    return [...this.#again.splice(0), ...this.#next.clear(), ...this.#outside.clear()];
  }

  #letThrough(): void {
    for (let first = this.#outside.first; first !== undefined && this.#hasRoomFor(first); first = this.#outside.first) {
      this.#outside.shift();
      this.#next.push(first);
      this.#bytes += first.cost;
    }
  }

  /** Admits jobs up to the bound; a larger job alone. */
  #hasRoomFor(task: Task): boolean {
    return this.#bytes === 0 || this.#bytes + task.cost <= this.#maxBytes;
  }
}

/** Round-robin queue of owners, so that 1,000 jobs of one owner do not delay another's. */
class Turns {
  /** Waiting jobs of each owner, never empty, in the order of turns. */
  readonly #owners = new Map<string | undefined, Task[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): Task | undefined {
    for (const [first] of this.#owners.values()) return first;
    return undefined;
  }

  push(task: Task): void {
    const tasks = this.#owners.get(task.owner);
    if (tasks === undefined) this.#owners.set(task.owner, [task]);
    else tasks.push(task);
    this.#size++;
  }

  shift(): Task | undefined {
    const task = this.first;
    if (task === undefined) return undefined;
    const tasks = this.#owners.get(task.owner) ?? [];
    tasks.shift();
    this.#owners.delete(task.owner);
    if (tasks.length > 0) this.#owners.set(task.owner, tasks); // re-added at the end, after the other owners
    this.#size--;
    return task;
  }

  remove(task: Task): boolean {
    const tasks = this.#owners.get(task.owner) ?? [];
    if (!without(tasks, task)) return false;
    if (tasks.length === 0) this.#owners.delete(task.owner);
    this.#size--;
    return true;
  }

  clear(): readonly Task[] {
    const all = [...this.#owners.values()].flat();
    this.#owners.clear();
    this.#size = 0;
    return all;
  }
}

function without(tasks: Task[], task: Task): boolean {
  const index = tasks.indexOf(task);
  if (index >= 0) tasks.splice(index, 1);
  return index >= 0;
}
