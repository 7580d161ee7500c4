// Files of the origin's private file system, written by position. Workers have access handles for it; a page has not.
import { pause } from "../../common/clock.ts";
import { lockOfWriters, takeLock, withLock } from "../../common/platforms/web_locks.ts";
import type { OriginFileRef } from "../../protocol/file_ref.ts";
import type { PageFileHandle, PageFileWriter } from "../../protocol/files.ts";
import type { OpenFile } from "../jobs/engine.ts";
import type { MaybePromise } from "../jobs/steps.ts";

/** Longest wait for a file that another worker seems to have open, in ms, and the time between two tries. */
const ACCESS_WAIT_MS = 5_000;
const RETRY_MS = 50;

/** The part of `FileSystemSyncAccessHandle` that is used. */
interface AccessHandle {
  write(bytes: Uint8Array, options: { at: number }): number;
  close(): void;
}

interface AccessibleHandle extends PageFileHandle {
  /** Opens the file. Browsers that know no mode open it for one worker at a time. */
  createSyncAccessHandle(options: { mode: "readwrite-unsafe" }): Promise<AccessHandle>;
}

interface RewritableHandle extends PageFileHandle {
  createWritable(options?: { keepExistingData: boolean }): Promise<PageFileWriter>;
}

/** Files that a worker has open for the jobs of one message: an opening takes longer than the write of a segment. */
export class AccessedFiles {
  readonly #opened = new Map<string, Promise<AccessedFile>>();

  /** Opens a file that `close` will close. */
  open(ref: OriginFileRef): Promise<OpenFile> {
    const opened = this.#opened.get(ref.id) ?? AccessedFile.open(ref);
    this.#opened.set(ref.id, opened);
    return opened;
  }

  /** Closes all files. */
  async close(): Promise<void> {
    for (const opened of this.#opened.values()) (await opened.catch(() => undefined))?.end();
  }
}

/** A file that is only written. */
abstract class OriginFile implements OpenFile {
  state(): "same" {
    return "same";
  }

  read(): never {
    throw new TypeError("Cannot read a file that is written");
  }

  abstract write(from: Uint8Array, position: number): MaybePromise<number>;

  close(): void {}
}

/** A file that a worker has open for several jobs; `end` closes it. */
class AccessedFile extends OriginFile {
  readonly #access: AccessHandle;
  readonly #free: () => void;

  private constructor(access: AccessHandle, free: () => void) {
    super();
    this.#access = access;
    this.#free = free;
  }

  static async open({ handle, id }: OriginFileRef): Promise<AccessedFile> {
    const free = await takeLock(lockOfWriters(id), isOpenToSeveral() ? "shared" : "exclusive");
    try {
      return new AccessedFile(await access(handle as AccessibleHandle), free);
    } catch (error) {
      free();
      throw error;
    }
  }

  override write(from: Uint8Array, position: number): number {
    const bytes = this.#access.write(from, { at: position });
    if (bytes === 0 && from.length > 0) throw new Error("it took no byte");
    return bytes;
  }

  end(): void {
    this.#access.close();
    this.#free();
  }
}

/** A file on a page whose workers could not be started: each write copies what there is already. */
export class RewrittenFile extends OriginFile {
  readonly #ref: OriginFileRef;

  constructor(ref: OriginFileRef) {
    super();
    this.#ref = ref;
  }

  override write(from: Uint8Array, position: number): Promise<number> {
    const { handle, id } = this.#ref;
    return withLock(lockOfWriters(id), async () => {
      const writer = await (handle as RewritableHandle).createWritable({ keepExistingData: true });
      await writer.write({ type: "write", position, data: new Uint8Array(from) });
      await writer.close();
      return from.length;
    });
  }
}

/** Opens a file. Firefox frees that of a worker that has died some time after the worker's lock. */
async function access(handle: AccessibleHandle): Promise<AccessHandle> {
  for (let waited = 0;; waited += RETRY_MS) {
    try {
      return await handle.createSyncAccessHandle({ mode: "readwrite-unsafe" });
    } catch (error) {
      if ((error as DOMException).name !== "NoModificationAllowedError" || waited >= ACCESS_WAIT_MS) throw error;
    }
    await pause(RETRY_MS);
  }
}

/** Whether the browser lets several workers write to one file. */
function isOpenToSeveral(): boolean {
  const { FileSystemSyncAccessHandle: type } = globalThis as { FileSystemSyncAccessHandle?: { prototype: object } };
  return type !== undefined && "mode" in type.prototype;
}
