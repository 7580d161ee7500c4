// Long texts in pieces: a step over a whole text of 64 MB would hold the event loop for tens of milliseconds.
import { StreamError } from "../errors.ts";
import { platform } from "./platform.ts";

/** Size of a text as UTF-8, in bytes; a lone surrogate counts as U+FFFD. Takes 0.1–0.8 ns a UTF-16 unit: meant for pieces of long texts. */
export function utf8Bytes(text: string): number {
  return platform().utf8Length(text); // a loop over the units took 3 ns each
}

/**
 * Divides a text into pieces of at most `units` UTF-16 units, at least 2. Surrogate pairs stay whole, so that the pieces' encodings make
 * the text's. A caller may yield to the event loop between any two.
 */
export function* textPieces(text: string, units: number): Generator<string, void, undefined> {
  if (!Number.isSafeInteger(units) || units < 2) {
    throw new StreamError(
      "invalid-argument",
      `Cannot cut the text as pieces have at least 2 units: size asked for is "${units}"`,
    );
  }
  let start = 0;
  while (start < text.length) {
    const end = pieceEnd(text, start, units);
    yield text.slice(start, end);
    start = end;
  }
}

/** Index after a piece of `units` UTF-16 units, at least 2, that splits no surrogate pair. */
export function pieceEnd(text: string, start: number, units: number): number {
  const end = start + units;
  return isHigh(text.charCodeAt(end - 1)) && isLow(text.charCodeAt(end)) ? end - 1 : end;
}

/**
 * Joins surrogate pairs that are split over two texts. The output has the same units in the same order, and each output text can be
 * encoded by itself: only surrogates that are lone in the whole become U+FFFD. A joined pair copies the text given to `push`.
 */
export class SurrogateJoiner {
  /** High surrogate whose other half may come with the next text, or "". */
  #held = "";

  /** Adds a text. Returns the text that can be encoded now. */
  push(text: string): string {
    if (text === "") return "";
    const joined = this.#held === "" ? text : this.#held + text;
    const last = text.charCodeAt(text.length - 1);
    this.#held = isHigh(last) ? text.slice(-1) : "";
    return this.#held === "" ? joined : joined.slice(0, -1);
  }

  /** Ends the texts. Returns the rest: a lone high surrogate, or "". */
  end(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
