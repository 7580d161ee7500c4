import type { ByteStreamReader, Progress } from "millrace";
import { toFailure } from "../failure.ts";
import { FOLDER_ATTRIBUTE, unpackFolder } from "./folders.ts";
import { printableLine } from "../output/printable.ts";
import { withTotal } from "../output/progress.ts";
import type { Session } from "../room/session.ts";
import { type Slot, TransferSlots } from "./transfer_slots.ts";

/** Value of `--dir` that means stdout. */
export const STDOUT = "-";

/** Reasons to stop a transfer, which its sender gets. */
const SURPLUS = "its receiver has all the files it wanted";
const STALLED = "it stood still while another one waited";
const INTERRUPTED = "its receiver was interrupted";

/** Options of `millrace receive`. */
export interface ReceiveTask {
  readonly dir: string;
  readonly topic: string;
  /** Identities whose files are taken; empty for everybody. */
  readonly from: readonly string[];
  /** Number of files to take, failed ones included. */
  readonly count: number;
}

/** Receiver of files, into a folder, or one after the other to stdout. */
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

  /** Receives files until their number is reached. Resolves with the number of failed ones. */
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

  /** Receives a file; never rejects, but reports errors. */
  async #take(file: OfferedFile): Promise<void> {
    const { output } = this.#session;
    const { reader, from } = file;
    const { streamId, name, mimeType, attributes } = reader.info;
    const { total } = file;
    const transfer = output.transfer({ direction: "receive", file: name, identities: [from], total });
    let slot: Slot | undefined;
    try {
      // A sender must send its first chunk before it gets stdout.
      const chunks = this.#task.dir === STDOUT ? await withFirstChunk(reader) : undefined;
      slot = await this.#slots.acquire(() => file.stop(STALLED));
      if (slot === undefined) file.stop(SURPLUS);
      const report = (progress: Progress): void => {
        slot?.touch();
        transfer.progress(withTotal(progress, total));
      };
      const { path, bytes } = await (chunks === undefined ? this.#save(file, report) : this.#copyToStdout(chunks, report));
      transfer.end();
      output.event({ event: "received", from, streamId, name, mimeType, attributes, path, bytes });
      output.line(printableLine(path));
      slot?.release("done");
    } catch (error) {
      transfer.end();
      this.#report(file, error);
      slot?.release("failed");
    }
  }

  #report({ reader, from, stopped }: OfferedFile, error: unknown): void {
    const { output, signal } = this.#session;
    const { name } = reader.info;
    if (signal.aborted) return;
    if (stopped === SURPLUS) {
      return output.notice(`Did not take "${name}" of "${from}": all files that were asked for have come`);
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

  async #copyToStdout(chunks: AsyncIterable<Uint8Array>, report: (progress: Progress) => void): Promise<Received> {
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

/** Result of a transfer. */
interface Received {
  readonly path: string;
  readonly bytes: number;
}

/** Offered stream. */
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

  /** Size, in bytes, if known; the sender's estimate for a folder. */
  get total(): number | undefined {
    const { size, attributes } = this.reader.info;
    const estimate = attributes[FOLDER_ATTRIBUTE] ?? "";
    return size ?? (/^\d{1,15}$/.test(estimate) ? Number(estimate) : undefined);
  }

  /** Signal that `stop` aborts. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Reason given to `stop`. */
  get stopped(): string | undefined {
    return this.#stopped;
  }

  /** Cancels the stream. */
  stop(reason: string): void {
    this.#stopped ??= reason;
    this.reader.cancel(reason).catch(() => {}); // the reader reports how the stream ends
    this.#ending.abort();
  }
}

/** Waits for the first chunk. Resolves with all chunks, the first included. */
async function withFirstChunk(reader: ByteStreamReader): Promise<AsyncIterable<Uint8Array>> {
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
