import { StreamError } from "../../errors.ts";
import { MAX_UTF8_BYTES_PER_UNIT } from "../../protocol/constants.ts";
import { utf8Bytes } from "../../common/utf8.ts";
import { show } from "../../protocol/options.ts";

/** Longest line of a record, in bytes, without its line end. */
export const MAX_LINE_BYTES: number = 1024 * 1024;

/** Encodes a value as a line. Throws "invalid-argument" for a value that JSON has no form for, "too-large" for a long line. */
export function encodeLine(value: unknown): string {
  let line: string | undefined;
  try {
    line = JSON.stringify(value) as string | undefined;
  } catch (cause) {
    throw new StreamError("invalid-argument", `Cannot write the record as it must be a value of JSON: got ${show(value)}`, {
      cause,
    });
  }
  if (line === undefined) {
    throw new StreamError("invalid-argument", `Cannot write the record as it must be a value of JSON: got ${show(value)}`);
  }
  if (isTooLong(line)) {
    throw new StreamError("too-large", `Cannot write the record as its line must be at most ${MAX_LINE_BYTES} bytes`);
  }
  return line;
}

/** Whether a line has too many bytes. Measures long lines only. */
export function isTooLong(line: string): boolean {
  return line.length * MAX_UTF8_BYTES_PER_UNIT > MAX_LINE_BYTES && utf8Bytes(line) > MAX_LINE_BYTES;
}

/** Divides text that comes in parts into lines. */
export class LineSplitter {
  /** Parts of the unfinished line: joined once, as a long line may come in many. */
  #parts: string[] = [];
  #units = 0;

  /** Whether the unfinished line has too many bytes already. */
  get isTooLong(): boolean {
    return this.#units > MAX_LINE_BYTES; // a unit has a byte or more
  }

  /** Yields the lines that a part completes, without their ends. */
  *push(part: string): Generator<string, void, undefined> {
    let at = 0;
    for (let end = part.indexOf("\n"); end >= 0; end = part.indexOf("\n", at)) {
      this.#keep(part.slice(at, end));
      at = end + 1;
      yield this.end();
    }
    this.#keep(part.slice(at));
  }

  /** The unfinished line. */
  end(): string {
    const line = this.#parts.length === 1 ? this.#parts[0] ?? "" : this.#parts.join("");
    this.#parts = [];
    this.#units = 0;
    return line;
  }

  #keep(text: string): void {
    if (text === "") return;
    this.#parts.push(text);
    this.#units += text.length;
  }
}
