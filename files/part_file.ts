import { basename, dirname, join } from "node:path";
import { StreamError } from "../errors.ts";
import { isSame } from "./file_system.ts";
import { removeFolders } from "./folders.ts";
import { codeOf, fileError, reasonOf, refusal } from "./paths.ts";
import { ifMissing, placeNew, placeOver, removeIfSame } from "./placing.ts";
import { numberedName } from "./safe_name.ts";
import type { FileRef } from "../protocol/file_ref.ts";
import type { FileSystem } from "./file_system.ts";

/** A file under way. Its maker ends it, by `commit` or `discard`. */
export interface PartFile {
  /** Where workers write: this very file, by position. */
  readonly ref: FileRef;
  /** The path it is meant for. In a folder, `commit` may have to number it. */
  readonly finalPath: string;
  /**
   * Gives the file, if it has so many bytes, its final name, and resolves to its absolute path. Nobody may be writing to it. Rejects with
   * "file-exists" if the path is taken, else "file-error", and the part has been discarded; "closed" after an earlier end.
   */
  commit(bytes: number): Promise<string>;
  /**
   * Removes the part, and the folders made for it if they are empty; nothing if it was committed or discarded before. A commit under way
   * rejects with "closed", and leaves nothing unless it has replaced a file. Rejects with "file-error" if the part cannot be removed, and
   * may then be called again.
   */
  discard(): Promise<void>;
}

/** Input of a part file: where it is and where it is to go. */
export interface PartInput {
  readonly files: FileSystem;
  readonly ref: FileRef;
  readonly finalPath: string;
  /** The topmost folder that was made for it. */
  readonly made: string | undefined;
  readonly sync: boolean;
  /** At the end: over what stands there, only where nothing stands, or with a number where something does. */
  readonly place: "over" | "new" | "numbered";
  readonly nameBytes: number;
}

/** The number up to which a free one is looked for. */
const MOST_NUMBERS = 10_000;

/** Names in folders that several parts of this process want: the number that the next of them tries, and how many parts there are. */
const contenders = new Map<string, { next: number; parts: number }>();

/** Error codes of file systems that cannot flush. */
const NO_SYNC: ReadonlySet<string | undefined> = new Set(["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"]);

/** The state of one part file; see {@linkcode PartFile}. */
export class Part implements PartFile {
  readonly ref: FileRef;
  readonly finalPath: string;
  readonly #input: PartInput;
  #state: "open" | "committing" | "committed" | "failed" | "discarded" = "open";
  #committing: Promise<string> | undefined;
  /** It was discarded while it was being committed. */
  #isUnwanted = false;
  #discarding: Promise<void> | undefined;

  constructor(input: PartInput) {
    this.#input = input;
    this.ref = input.ref;
    this.finalPath = input.finalPath;
  }

  async commit(bytes: number): Promise<string> {
    if (this.#state !== "open") {
      throw new StreamError("closed", `Cannot commit the file as it has ended: path is ${JSON.stringify(this.finalPath)}`);
    }
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new StreamError(
        "invalid-argument",
        `Cannot commit the file as its size is not a non-negative integer: size is "${bytes}"`,
      );
    }
    this.#state = "committing";
    this.#committing = this.#commit(bytes);
    return await this.#committing;
  }

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
      await this.#remove().catch(() => undefined); // it can be discarded again, and the first failure is the one to tell of
      if (error instanceof StreamError) throw error;
      throw fileError(`Cannot commit the file as ${reasonOf(error)}`, this.finalPath, error);
    }
  }

  #assertWanted(): void {
    if (!this.#isUnwanted) return;
    const path = JSON.stringify(this.finalPath);
    throw new StreamError("closed", `Cannot commit the file as it was discarded meanwhile: path is ${path}`);
  }

  async #discard(): Promise<void> {
    if (this.#state === "open") this.#state = "failed";
    await this.#committing?.catch(() => undefined); // whoever called commit is told
    if (this.#state === "failed") await this.#remove();
  }

  async #check(bytes: number): Promise<void> {
    const there = await this.#input.files.look(this.ref.path);
    if (there.kind !== "file" || !isSame(there, this.ref)) {
      throw fileError(
        "Cannot commit the file as another has its place",
        this.ref.path,
        refusal("ESTALE", "device or inode differs"),
      );
    }
    if (there.size !== bytes) {
      const sizes = `it has ${there.size} bytes instead of ${bytes}`;
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
      `Cannot commit the file as its name is taken: path is ${JSON.stringify(this.finalPath)}`,
    );
  }

  /** The first free number from 2 on. Files of one name that end at the same time take one each, instead of trying for the same. */
  async #placeNumbered(): Promise<string | undefined> {
    const numbers = contenders.get(this.finalPath) ?? { next: 2, parts: 0 };
    contenders.set(this.finalPath, numbers);
    numbers.parts++;
    try {
      for (let number = 0; number <= MOST_NUMBERS;) {
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
    const there = await this.#input.files.look(this.#numbered(number)).catch(ifMissing);
    return there !== undefined;
  }

  async #remove(): Promise<void> {
    const { files, made } = this.#input;
    try {
      await removeIfSame(files, this.ref.path, this.ref);
    } catch (cause) {
      throw fileError(`Cannot discard the file as ${reasonOf(cause)}`, this.ref.path, cause);
    }
    await removeFolders(files, dirname(this.ref.path), made);
    this.#state = "discarded";
  }
}

/**
 * A free number above `taken`, right after one that is taken. In doubling steps and then by halves: whoever sends a thousand files of
 * one name must not cost a million looks.
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
