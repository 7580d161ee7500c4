// Names of options. An unknown one is refused: a misspelt list of destinations would send to everybody.
import { StreamError } from "../errors.ts";

/** Every name of some options: the compiler finds one that was left out. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/** Longest text of which the distance to a name is measured, in UTF-16 units. */
const LONGEST_NAME = 64;

/**
 * Throws "invalid-argument" if an object has an enumerable name that is not a key of `names`, its own or inherited. The message names the
 * nearest known one. `kind` is the word for a name: "option", "limit".
 */
export function assertKnownNames(
  options: object,
  names: Readonly<Record<string, unknown>>,
  action: string,
  kind: string = "option",
): void {
  const known = Object.keys(names);
  for (const name in options) {
    if (known.includes(name)) continue;
    if (name in Object.prototype && !Object.hasOwn(options, name)) continue; // every object has it
    const nearest = nearestName(name, known);
    const hint = nearest === undefined
      ? `there ${known.length === 0 ? "is none" : `are ${known.join(", ")}`}`
      : `did you mean "${nearest}"?`;
    throw new StreamError("invalid-argument", `${action} as there is no ${kind} "${name.slice(0, LONGEST_NAME)}": ${hint}`);
  }
}

/** The known name nearest to a misspelt one; undefined if none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = letters(name);
  if (wanted === "") return undefined;
  let nearest: string | undefined;
  let least = Infinity;
  for (const candidate of known) {
    const right = letters(candidate);
    const part = wanted.length >= 3 && (right.includes(wanted) || wanted.includes(right) || sharesBeginning(wanted, right));
    const distance = part ? Math.min(1, editDistance(wanted, right)) : editDistance(wanted, right);
    const most = part ? 1 : Math.ceil(Math.max(wanted.length, right.length) / 3);
    if (distance > most || distance >= least) continue;
    nearest = candidate;
    least = distance;
  }
  return nearest;
}

/** Whether nearly all of a text is the beginning of another: "destinations" of "destinationIdentities". */
function sharesBeginning(wanted: string, right: string): boolean {
  return right.startsWith(wanted.slice(0, Math.max(4, Math.ceil(wanted.length * 0.75))));
}

/** A name without case, underscores and hyphens. */
function letters(name: string): string {
  return name.slice(0, LONGEST_NAME).replace(/[-_\s]/g, "").toLowerCase();
}

/** Insertions, deletions, replacements and swaps of neighbours that make one text of another. */
function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    before = last;
    last = row;
  }
  return last[to.length] ?? 0;
}
