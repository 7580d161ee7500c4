// The worker's entry beside this module, and a check of its content: in a bundle, a file of that name may be the user's program.
import { readFileSync } from "node:fs";
import { mayRead } from "../../common/platforms/node.ts";

/** Text in the first line of entry.js. */
const MARK = "millrace: the entry of a codec worker";

/** Upper bound of the length of entry.js, in UTF-16 code units. A bundle that includes entry.js is longer. */
const MOST_CHARACTERS = 1_000;

/** Finds the entry. Throws unless its content is Millrace's; nothing is executed before. */
export function ownEntry(): URL {
  const { url } = import.meta as { url?: string }; // a CommonJS bundle has none
  if (url === undefined || !/\/workers\/entry\/own_entry\.(ts|js)$/.test(new URL(url).pathname)) {
    throw new Error(`Cannot start a worker as this is a bundle without one: its module is "${url}"`);
  }
  const entry = new URL("./entry.js", url);
  if (entry.protocol === "file:" && mayRead(entry)) { // Deno loads modules that programs may not read as files
    const text = readFileSync(entry, "utf8");
    if (text.length > MOST_CHARACTERS || !text.includes(MARK)) {
      throw new Error(`Cannot start a worker as its entry is another program: file is "${entry.href}"`);
    }
  }
  return entry;
}
