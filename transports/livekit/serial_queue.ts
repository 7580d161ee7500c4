/** Queue of tasks that run one at a time, in order. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs a task when all before it have settled; settles with the task. */
  add(task: () => Promise<void>): Promise<void> {
    const done = this.#last.then(task);
    this.#last = done.catch(() => {});
    return done;
  }

  /** Resolves when all tasks have settled. */
  async empty(): Promise<void> {
    await this.#last;
  }
}
