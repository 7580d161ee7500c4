import { basename, dirname, join } from "node:path";
import { StreamError } from "../errors.ts";
import { isSame } from "./file_system.ts";
import { removeFolders } from "./folders.ts";
import { codeOf, fileError, reasonOf, refusal } from "./paths.ts";
import { ifMissing, placeNew, placeOver, removeIfSame } from "./placing.ts";
import { numberedName } from "./safe_name.ts";
import type { DiskFileRef } from "../protocol/file_ref.ts";
import type { PartOfFile } from "./file_access.ts";
import type { FileSystem } from "./file_system.ts";

/** Input of a part file. */
export interface PartFileInput {
  readonly files: FileSystem;
  readonly ref: DiskFileRef;
  /** Path of the finished file. In a folder `commit` may add a number to the name. */
  readonly finalPath: string;
  /** Topmost folder that was made for the file. */
  readonly createdFolder: string | undefined;
  /** True if the bytes are flushed to disk before the file gets its name. */
  readonly sync: boolean;
  /** Rule for a taken path: replace the file, fail, or add a number to the name. */
  readonly place: "over" | "new" | "numbered";
  /** Longest name, in bytes. */
  readonly nameBytes: number;
}

/** Highest number of a numbered name. */
const MAX_NUMBER = 10_000;

/** Final paths that several parts of this process want, with the next number to try and the number of parts. */
const contenders = new Map<string, { next: number; parts: number }>();

/** Error codes of file systems that cannot flush. */
const NO_SYNC: ReadonlySet<string | undefined> = new Set(["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"]);

/** File that is being written. The caller ends it by `commit` or `discard`. */
export class PartFile implements PartOfFile {
  /** Reference by which workers write to this very file, by position. */
  readonly ref: DiskFileRef;
  /** Path of the finished file. In a folder `commit` may add a number to the name. */
  readonly finalPath: string;
  readonly #input: PartFileInput;
  #state: "open" | "committing" | "committed" | "failed" | "discarded" = "open";
  #committing: Promise<string> | undefined;
  /** True if `discard` was called, perhaps during a commit. */
  #isUnwanted = false;
  #discarding: Promise<void> | undefined;

  constructor(input: PartFileInput) {
    this.#input = input;
    this.ref = input.ref;
    this.finalPath = input.finalPath;
  }

  /**
   * Gives the file its final name if its size is `bytes`, and resolves with its absolute path. No writer may be at work. After a rejection
   * the part has been discarded: "file-exists" if the path is taken, "closed" after an earlier end, otherwise "file-error".
   */
  async commit(bytes: number): Promise<string> {
    if (this.#state !== "open") {
      throw new StreamError("closed", `Cannot commit the file as it has ended: path is ${JSON.stringify(this.finalPath)}`);
    }
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new StreamError(
        "invalid-argument",
        `Cannot commit the file as its size must be a non-negative integer: size is "${bytes}"`,
      );
    }
    this.#state = "committing";
    this.#committing = this.#commit(bytes);
    return await this.#committing;
  }

  /**
   * Removes the part, and the folders made for it if they are empty; does nothing after a commit or an earlier discard. An unfinished
   * commit rejects with "closed", and leaves no file unless it has replaced one. Rejects with "file-error" if the part cannot be removed;
   * call it again then.
   */
  discard(): Promise<void> {
    this.#isUnwanted = true;
    this.#discarding ??= this.#discard().finally(() => {
      this.#discarding = undefined;
    });
    return this.#discarding;
  }

  async #commit(bytes: number): Promise<string> {
    try {
      await this.#check(bytes);
      if (this.#input.sync) await this.#sync();
      this.#assertWanted();
      const path = await this.#place();
      this.#state = "committed";
      if (this.#isUnwanted && this.#input.place !== "over") {
        await removeIfSame(this.#input.files, path, this.ref);
        this.#assertWanted();
      }
      return path;
    } catch (error) {
      this.#state = "failed";
      await this.#remove().catch(() => undefined); // the first error is reported, and `discard` can be called again
      if (error instanceof StreamError) throw error;
      throw fileError(`Cannot commit the file as ${reasonOf(error)}`, this.finalPath, error);
    }
  }

  #assertWanted(): void {
    if (!this.#isUnwanted) return;
    const path = JSON.stringify(this.finalPath);
    throw new StreamError("closed", `Cannot commit the file as it was discarded: path is ${path}`);
  }

  async #discard(): Promise<void> {
    if (this.#state === "open") this.#state = "failed";
    await this.#committing?.catch(() => undefined); // the caller of `commit` gets the error
    if (this.#state === "failed") await this.#remove();
  }

  async #check(bytes: number): Promise<void> {
    const entry = await this.#input.files.lstat(this.ref.path);
    if (entry.kind !== "file" || !isSame(entry, this.ref)) {
      throw fileError(
        "Cannot commit the file as another file has its path",
        this.ref.path,
        refusal("ESTALE", "device or inode differs"),
      );
    }
    if (entry.size !== bytes) {
      const sizes = `it must have ${bytes} bytes, and has ${entry.size}`;
      throw fileError(`Cannot commit the file as ${sizes}`, this.ref.path, refusal("EIO", sizes));
    }
  }

  async #sync(): Promise<void> {
    try {
      await this.#input.files.sync(this.ref.path);
    } catch (error) {
      if (!NO_SYNC.has(codeOf(error))) throw error;
    }
  }

  async #place(): Promise<string> {
    const { files, place } = this.#input;
    if (place === "over") {
      await placeOver(files, this.ref, this.finalPath);
      return this.finalPath;
    }
    if (await placeNew(files, this.ref, this.finalPath)) return this.finalPath;
    const placed = place === "numbered" ? await this.#placeNumbered() : undefined;
    if (placed !== undefined) return placed;
    throw new StreamError(
      "file-exists",
      `Cannot commit the file as its path must be free: path is ${JSON.stringify(this.finalPath)}`,
    );
  }

  /** Places the file under the first free number from 2 on. Files of one name that end at the same time take one number each. */
  async #placeNumbered(): Promise<string | undefined> {
    const numbers = contenders.get(this.finalPath) ?? { next: 2, parts: 0 };
    contenders.set(this.finalPath, numbers);
    numbers.parts++;
    try {
      for (let number = 0; number <= MAX_NUMBER;) {
        number = numbers.next++;
        if (await placeNew(this.#input.files, this.ref, this.#numbered(number))) return this.#numbered(number);
        const free = await freeNumber((candidate) => this.#isTaken(candidate), number);
        numbers.next = Math.max(numbers.next, free);
      }
      return undefined;
    } finally {
      numbers.parts--;
      if (numbers.parts === 0) contenders.delete(this.finalPath);
    }
  }

  #numbered(number: number): string {
    return join(dirname(this.finalPath), numberedName(basename(this.finalPath), number, this.#input.nameBytes));
  }

  async #isTaken(number: number): Promise<boolean> {
    const entry = await this.#input.files.lstat(this.#numbered(number)).catch(ifMissing);
    return entry !== undefined;
  }

  async #remove(): Promise<void> {
    const { files, createdFolder } = this.#input;
    try {
      await removeIfSame(files, this.ref.path, this.ref);
    } catch (cause) {
      throw fileError(`Cannot discard the file as ${reasonOf(cause)}`, this.ref.path, cause);
    }
    await removeFolders(files, dirname(this.ref.path), createdFolder);
    this.#state = "discarded";
  }
}

/**
 * Finds a free number above `taken`, right after a taken one. Doubling steps and bisection keep the calls few: a thousand files of one
 * name must not cost a million.
 */
async function freeNumber(isTaken: (number: number) => Promise<boolean>, taken: number): Promise<number> {
  let low = taken;
  let step = 1;
  while (await isTaken(low + step)) {
    low += step;
    step *= 2;
  }
  let free = low + step;
  while (free - low > 1) {
    const middle = Math.floor((low + free) / 2);
    if (await isTaken(middle)) low = middle;
    else free = middle;
  }
  return free;
}
