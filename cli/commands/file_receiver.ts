import type { ByteStreamReader, Progress } from "millrace";
import { toFailure } from "../failure.ts";
import { FOLDER_ATTRIBUTE, unpackFolder } from "./folders.ts";
import { printableLine } from "../output/printable.ts";
import { withTotal } from "../output/progress.ts";
import type { Session } from "../room/session.ts";
import { type Slot, TransferSlots } from "./transfer_slots.ts";

/** The folder that stands for stdout. */
export const STDOUT = "-";

/** Reasons to stop a transfer; its sender is told. */
const SURPLUS = "its receiver has all the files it wanted";
const STALLED = "it stood still while another one waited";
const INTERRUPTED = "its receiver was interrupted";

export interface ReceiveTask {
  readonly dir: string;
  readonly topic: string;
  /** Identities whose files are taken; none named: everybody's. */
  readonly from: readonly string[];
  /** Files to take before it ends; a failed one counts. */
  readonly count: number;
}

/** Takes files into a folder, or one after the other to stdout, until as many have ended as were asked for. */
export class FileReceiver {
  readonly #task: ReceiveTask;
  readonly #session: Session;
  readonly #slots: TransferSlots;
  readonly #running = new Map<OfferedFile, Promise<void>>();
  #failed = 0;

  constructor(task: ReceiveTask, session: Session, stallTime: number) {
    this.#task = task;
    this.#session = session;
    this.#slots = new TransferSlots({ count: task.count, exclusive: task.dir === STDOUT, stallTime });
  }

  /** Resolves with the number of files that failed. */
  async run(): Promise<number> {
    const { runtime, signal, output, room } = this.#session;
    const { topic } = this.#task;
    const interrupt = (): void => this.#slots.close();
    signal.addEventListener("abort", interrupt);
    if (signal.aborted) interrupt();
    runtime.registerByteStreamHandler(topic, (reader, { identity }) => this.#offer(reader, identity));
    output.notice(`Waiting for files in room "${room}" as "${runtime.identity}", topic "${topic}"; Ctrl-C ends it`);
    output.event({ event: "ready", room, identity: runtime.identity, topic });
    await this.#slots.finished;
    signal.removeEventListener("abort", interrupt);
    runtime.unregisterByteStreamHandler(topic);
    for (const file of this.#running.keys()) file.stop(signal.aborted ? INTERRUPTED : SURPLUS);
    await Promise.all(this.#running.values());
    return this.#failed;
  }

  async #offer(reader: ByteStreamReader, from: string): Promise<void> {
    const { from: wanted } = this.#task;
    if (wanted.length > 0 && !wanted.includes(from)) return await reader.cancel("its receiver takes files of others only");
    const file = new OfferedFile(reader, from);
    const running = this.#take(file);
    this.#running.set(file, running);
    await running;
    this.#running.delete(file);
  }

  /** Never rejects: an error is told. */
  async #take(file: OfferedFile): Promise<void> {
    const { output } = this.#session;
    const { reader, from } = file;
    const { streamId, name, mimeType, attributes } = reader.info;
    const { total } = file;
    const transfer = output.transfer({ direction: "receive", file: name, identities: [from], total });
    let slot: Slot | undefined;
    try {
      // One who is silent from the start is not to take stdout from others.
      const chunks = this.#task.dir === STDOUT ? await begun(reader) : undefined;
      slot = await this.#slots.acquire(() => file.stop(STALLED));
      if (slot === undefined) file.stop(SURPLUS);
      const report = (progress: Progress): void => {
        slot?.touch();
        transfer.progress(withTotal(progress, total));
      };
      const { path, bytes } = await (chunks === undefined ? this.#save(file, report) : this.#pour(chunks, report));
      transfer.end();
      output.event({ event: "received", from, streamId, name, mimeType, attributes, path, bytes });
      output.line(printableLine(path));
      slot?.release("done");
    } catch (error) {
      transfer.end();
      this.#tell(file, error);
      slot?.release("failed");
    }
  }

  #tell({ reader, from, stopped }: OfferedFile, error: unknown): void {
    const { output, signal } = this.#session;
    const { name } = reader.info;
    if (signal.aborted) return;
    if (stopped === SURPLUS) {
      return output.notice(`Did not take "${name}" of "${from}": there are as many files as were asked for`);
    }
    this.#failed++;
    const failure = toFailure(stopped === undefined ? error : new Error(stopped), `receive "${name}" of "${from}"`);
    output.failure(failure, { file: name, from });
  }

  async #save({ reader, isFolder, signal }: OfferedFile, report: (progress: Progress) => void): Promise<Received> {
    const folder = /[\\/]$/.test(this.#task.dir) ? this.#task.dir : `${this.#task.dir}/`;
    const { path, bytes } = await reader.saveTo(folder, { signal, onProgress: report });
    return { path: isFolder ? await unpackFolder(path, signal) : path, bytes };
  }

  async #pour(chunks: AsyncIterable<Uint8Array>, report: (progress: Progress) => void): Promise<Received> {
    const { signal, output } = this.#session;
    const started = performance.now();
    let bytes = 0;
    for await (const chunk of chunks) {
      await output.bytes(chunk, signal);
      bytes += chunk.length;
      report({ bytes, bytesPerSecond: bytes / Math.max(1, performance.now() - started) * 1000 });
    }
    return { path: STDOUT, bytes };
  }
}

interface Received {
  readonly path: string;
  readonly bytes: number;
}

/** A stream that somebody offers. */
class OfferedFile {
  readonly reader: ByteStreamReader;
  readonly from: string;
  readonly #ending = new AbortController();
  #stopped: string | undefined;

  constructor(reader: ByteStreamReader, from: string) {
    this.reader = reader;
    this.from = from;
  }

  get isFolder(): boolean {
    return this.reader.info.attributes[FOLDER_ATTRIBUTE] !== undefined;
  }

  /** Bytes in all, if known; of a folder its sender says about how many. */
  get total(): number | undefined {
    const { size, attributes } = this.reader.info;
    const told = attributes[FOLDER_ATTRIBUTE] ?? "";
    return size ?? (/^\d{1,15}$/.test(told) ? Number(told) : undefined);
  }

  /** Aborted by `stop`. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Why it was stopped. */
  get stopped(): string | undefined {
    return this.#stopped;
  }

  stop(reason: string): void {
    this.#stopped ??= reason;
    this.reader.cancel(reason).catch(() => {}); // its reading tells how it ends
    this.#ending.abort();
  }
}

/** Waits for the first chunk. The stream's chunks, from the first one on. */
async function begun(reader: ByteStreamReader): Promise<AsyncIterable<Uint8Array>> {
  const iterator = reader[Symbol.asyncIterator]();
  let first: IteratorResult<Uint8Array> | undefined = await iterator.next();
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const result = first ?? await iterator.next();
        first = undefined;
        return result;
      },
      return: async () => await iterator.return?.() ?? { done: true, value: undefined },
    }),
  };
}
