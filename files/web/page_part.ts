// A file that a page saves, from its first byte to its name.
import { StreamError } from "../../errors.ts";
import type { PageFileHandle } from "../../protocol/files.ts";
import type { FileRef, OriginFileRef } from "../../protocol/file_ref.ts";
import type { PartOfFile } from "../file_access.ts";
import { fileError } from "./handles.ts";

/** A file that is being written, without its place. */
export interface Written {
  readonly ref: FileRef;
  /** Keeps what was written. */
  close(): Promise<void>;
  /** Drops it. */
  abort(): Promise<void>;
}

/** Writes a file by the browser's stream, on the page's thread. */
export async function byStream(handle: PageFileHandle, name: string): Promise<Written> {
  const writer = await handle.createWritable();
  return {
    ref: {
      path: name,
      write: (data, position) => writer.write({ type: "write", position, data: data as Uint8Array<ArrayBuffer> }),
    },
    close: () => writer.close(),
    abort: () => writer.abort(),
  };
}

/** Leaves a file of the origin's own to workers, which open it for each message and close it then. */
export function byWorkers(ref: OriginFileRef): Written {
  const done = (): Promise<void> => Promise.resolve();
  return { ref, close: done, abort: done };
}

/** Effects of a part's end. */
export interface Placing {
  /** Gives the whole file its name. */
  place(): Promise<string>;
  /** Size of the written file, in bytes. */
  size(): Promise<number>;
  /** Removes what was written. */
  remove(): Promise<void>;
  /** Called when the part is no more. */
  free(): void;
}

export class PagePart implements PartOfFile {
  readonly #written: Written;
  readonly #placing: Placing;
  #state: "open" | "committing" | "ended" = "open";
  #isUnwanted = false;

  constructor(written: Written, placing: Placing) {
    this.#written = written;
    this.#placing = placing;
  }

  get ref(): FileRef {
    return this.#written.ref;
  }

  async commit(bytes: number): Promise<string> {
    if (this.#state !== "open") throw this.#closed();
    this.#state = "committing";
    try {
      await this.#written.close();
      const size = await this.#placing.size();
      if (size !== bytes) throw new RangeError(`it must have ${bytes} bytes, and has ${size}`);
      if (this.#isUnwanted) throw this.#closed();
      return await this.#placing.place();
    } catch (cause) {
      await this.#placing.remove().catch(() => {}); // the first error is reported
      throw cause instanceof StreamError ? cause : fileError("commit", this.ref.path, cause);
    } finally {
      this.#end();
    }
  }

  async discard(): Promise<void> {
    this.#isUnwanted = true;
    if (this.#state !== "open") return;
    this.#state = "ended";
    try {
      await this.#written.abort();
    } catch {
      // The browser has closed it already: of a part only the entry is left.
    }
    await this.#placing.remove().catch(() => {});
    this.#end();
  }

  #end(): void {
    this.#state = "ended";
    this.#placing.free();
  }

  #closed(): StreamError {
    return new StreamError("closed", `Cannot commit the file as it has ended: name is ${JSON.stringify(this.ref.path)}`);
  }
}
