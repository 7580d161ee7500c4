// The command lines of a document: lines of code blocks that have no language, and code spans that begin with a program's name.
const PROGRAM = /^(npm|npx|node|bun|bunx|deno|pip|python|tar|millrace|\.ci\/run)( |$)/;

/** Each command line once, without its comment, in the document's order. */
export function commandLinesOf(markdown) {
  const found = new Set();
  let language;
  for (const line of markdown.split("\n")) {
    const fence = /^```(.*)$/.exec(line);
    if (fence !== null) language = language === undefined ? fence[1] : undefined;
    else if (language === "") add(found, line);
    else if (language === undefined) { for (const [, code] of line.matchAll(/`([^`]+)`/g)) add(found, code); }
  }
  return [...found];
}

/** A program's name alone is no command line, but for one that takes no arguments. */
function add(found, text) {
  const command = text.replace(/\s+#.*$/, "").trim();
  if (PROGRAM.test(command) && (command.includes(" ") || command.startsWith(".ci/"))) found.add(command);
}
