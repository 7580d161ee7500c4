// Other implementations of the codec's job, sha256 of a shared segment: bare messages to worker threads, and Piscina.
import { Worker } from "node:worker_threads";
import { Piscina } from "piscina";

interface Answer {
  readonly id: number;
  readonly digest?: string;
  readonly hashed?: number;
}

/** Worker threads that are sent one message a job. */
export class RawWorkers {
  readonly #threads: readonly Worker[];
  readonly #waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  #next = 0;

  constructor(size: number) {
    this.#threads = Array.from({ length: size }, () => {
      const thread = new Worker(new URL("./raw_worker.js", import.meta.url));
      thread.on("message", (answer: Answer) => {
        this.#waiting.get(answer.id)?.resolve(answer);
        this.#waiting.delete(answer.id);
      });
      thread.on("error", (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
      return thread;
    });
  }

  /** sha256 of a segment's first bytes. */
  async hash(buffer: SharedArrayBuffer, length: number): Promise<void> {
    await this.#ask(this.#next % this.#threads.length, { buffer, length });
  }

  /** Hashes on all threads for a time. Returns the hashed bytes. */
  async spin(ms: number): Promise<number> {
    const answers = await Promise.all(this.#threads.map((_, index) => this.#ask(index, { spin: ms })));
    return answers.reduce((sum, { hashed = 0 }) => sum + hashed, 0);
  }

  async end(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  #ask(index: number, question: object): Promise<Answer> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#threads[index]?.postMessage({ id, ...question });
    });
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

export function startPiscina(size: number): Piscina {
  return new Piscina({ filename: new URL("./piscina_worker.js", import.meta.url).href, minThreads: size, maxThreads: size });
}
