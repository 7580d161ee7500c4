// Long texts in pieces: what touches a whole text of 64 MB at once holds the event loop for tens of milliseconds.
import { StreamError } from "../../errors.ts";
import { utf8Length } from "../../platform.ts";

/** Bytes of a text as UTF-8; a lone surrogate counts as the U+FFFD it becomes. At 0.1–0.8 ns a unit, meant for pieces of long texts. */
export function utf8Bytes(text: string): number {
  return utf8Length(text); // a loop over the units took 3 ns each
}

/**
 * Walks a text in pieces of at most `units` UTF-16 units, at least 2, and never parts a surrogate pair: encoded one by one, the pieces are
 * the text encoded. A caller may give the event loop back between any two.
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

/** A piece of a text, and its bytes as UTF-8. */
export interface MeasuredPiece {
  readonly text: string;
  readonly bytes: number;
}

/**
 * Walks a text in pieces of at most `most` bytes as UTF-8, at least 4, and close to that many if its units take `average` bytes each. Never
 * parts a surrogate pair.
 */
export function* fittingPieces(text: string, most: number, average: number): Generator<MeasuredPiece, void, undefined> {
  let start = 0;
  while (start < text.length) {
    let units = Math.max(2, Math.floor(most / average));
    for (;;) {
      const end = pieceEnd(text, start, units);
      const piece = text.slice(start, end);
      const bytes = utf8Bytes(piece);
      if (bytes <= most || units === 2) {
        start = end;
        yield { text: piece, bytes };
        break;
      }
      units = Math.max(2, Math.floor(units * most / bytes * 0.99)); // richer than the average: as much less as is too much
    }
  }
}

function pieceEnd(text: string, start: number, units: number): number {
  const end = start + units;
  return isHigh(text.charCodeAt(end - 1)) && isLow(text.charCodeAt(end)) ? end - 1 : end;
}

/**
 * Makes whole what was written in parts: a surrogate pair split over two writes comes out as one. What comes out is what went in, unit
 * by unit; encode it as it comes, and only surrogates that were lone in the whole become U+FFFD.
 *
 * A pair joined copies the text given to `push`, so give it pieces.
 */
export class SurrogateJoiner {
  /** A high surrogate whose other half may come with the next text, or "". */
  #held = "";

  /** The text that can be encoded now. */
  push(text: string): string {
    if (text === "") return "";
    const joined = this.#held === "" ? text : this.#held + text;
    const last = text.charCodeAt(text.length - 1);
    this.#held = isHigh(last) ? text.slice(-1) : "";
    return this.#held === "" ? joined : joined.slice(0, -1);
  }

  /** Rest when no more text comes: a lone high surrogate, or "". */
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
