// millrace receive: files of a topic into a folder, or their bytes to stdout.
import { stat } from "node:fs/promises";
import type { ByteStreamReader, Progress } from "millrace";
import { EXIT, Failure, toFailure } from "./failure.ts";
import type { Transfer } from "./output.ts";
import { printableLine } from "./printable.ts";
import { inSession, type Invocation, type Session } from "./session.ts";

/** The folder that stands for stdout. */
export const STDOUT = "-";

export interface ReceiveTask {
  readonly dir: string;
  readonly topic: string;
  /** Whose files are taken; none named: everybody's. */
  readonly from: readonly string[];
  /** Files to take before it ends; a failed one counts. */
  readonly count: number;
}

export async function receive(task: ReceiveTask, invocation: Invocation): Promise<number> {
  await assertFolder(task.dir);
  invocation.output.resultsAside = task.dir === STDOUT;
  return await inSession(invocation, { topic: task.topic }, async (session) => {
    await session.output.showBars();
    return await new Intake(task, session).run();
  });
}

async function assertFolder(dir: string): Promise<void> {
  if (dir === STDOUT) return;
  const found = await stat(dir).catch(() => undefined); // it is made when the first file comes
  if (found === undefined || found.isDirectory()) return;
  throw new Failure("file-error", `Cannot receive into the folder as a file has its path: path is "${dir}"`);
}

class Intake {
  readonly #task: ReceiveTask;
  readonly #session: Session;
  readonly #saving = new Set<Promise<void>>();
  #taken = 0;
  #ended = 0;
  #failed = 0;
  #finish: () => void = () => {};
  /** Streams to stdout go one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(task: ReceiveTask, session: Session) {
    this.#task = task;
    this.#session = session;
  }

  async run(): Promise<number> {
    const { runtime, signal, output, room } = this.#session;
    const { topic } = this.#task;
    const finished = new Promise<void>((resolve) => {
      this.#finish = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    runtime.registerByteStreamHandler(topic, (reader, { identity }) => this.#offer(reader, identity));
    output.notice(`Waiting for files in room "${room}" as "${runtime.identity}", topic "${topic}"; Ctrl-C ends it`);
    output.event({ event: "ready", room, identity: runtime.identity, topic });
    await finished;
    await Promise.all(this.#saving);
    return this.#failed === 0 ? EXIT.ok : EXIT.transfer;
  }

  async #offer(reader: ByteStreamReader, from: string): Promise<void> {
    const { from: wanted, count, topic } = this.#task;
    if (wanted.length > 0 && !wanted.includes(from)) return await reader.cancel("its receiver takes files of others only");
    if (this.#taken === count) return await reader.cancel("its receiver has all the files it wanted");
    if (++this.#taken === count) this.#session.runtime.unregisterByteStreamHandler(topic);
    const saving = this.#take(reader, from);
    this.#saving.add(saving);
    await saving;
    this.#saving.delete(saving);
    if (++this.#ended === count) this.#finish();
  }

  /** Never rejects: what went wrong is told. */
  async #take(reader: ByteStreamReader, from: string): Promise<void> {
    const { output, signal } = this.#session;
    const { streamId, name, size, mimeType, attributes } = reader.info;
    const transfer = output.transfer("receive", name, size, from);
    try {
      const { path, bytes } = await (this.#task.dir === STDOUT ? this.#pour(reader, transfer) : this.#save(reader, transfer));
      transfer.end();
      output.event({ event: "received", from, streamId, name, mimeType, attributes, path, bytes });
      output.line(printableLine(path));
    } catch (error) {
      transfer.end();
      this.#failed++;
      if (!signal.aborted) output.failure(toFailure(error, `receive "${name}" of "${from}"`), { file: name, from });
    }
  }

  #save(reader: ByteStreamReader, transfer: Transfer): Promise<{ path: string; bytes: number }> {
    const folder = /[\\/]$/.test(this.#task.dir) ? this.#task.dir : `${this.#task.dir}/`;
    const onProgress = (progress: Progress): void => transfer.progress(progress);
    return reader.saveTo(folder, { signal: this.#session.signal, onProgress });
  }

  async #pour(reader: ByteStreamReader, transfer: Transfer): Promise<{ path: string; bytes: number }> {
    const before = this.#turn;
    let done = (): void => {};
    this.#turn = new Promise((resolve) => done = resolve);
    const { signal, output } = this.#session;
    const cancel = (): void => void reader.cancel("its receiver was interrupted").catch(() => undefined);
    signal.addEventListener("abort", cancel);
    try {
      await before;
      const started = performance.now();
      let bytes = 0;
      for await (const chunk of reader) {
        await output.bytes(chunk, signal);
        bytes += chunk.length;
        transfer.progress({ bytes, bytesPerSecond: bytes / Math.max(1, performance.now() - started) * 1000 });
      }
      return { path: STDOUT, bytes };
    } finally {
      signal.removeEventListener("abort", cancel);
      done();
    }
  }
}
