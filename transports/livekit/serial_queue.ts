/** Sends one thing at a time, in the order in which they were added. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `send` when all before it have settled; settles as it does. */
  add(send: () => Promise<void>): Promise<void> {
    const sent = this.#last.then(send);
    this.#last = sent.catch(() => {});
    return sent;
  }

  /** Resolves when all that was added has settled. */
  async empty(): Promise<void> {
    await this.#last;
  }
}
