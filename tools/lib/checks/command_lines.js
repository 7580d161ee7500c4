// Command lines of a document: lines of code blocks without a language, and code spans that begin with a program's name.
const PROGRAM = /^(npm|npx|node|bun|bunx|deno|pip|python|tar|millrace|\.ci\/run)( |$)/;

/** Lists each command line once, without its comment, in order. */
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

/** Adds a command line. A program's name alone is none, except .ci/run, which needs no arguments. */
function add(found, text) {
  const command = text.replace(/\s+#.*$/, "").trim();
  if (PROGRAM.test(command) && (command.includes(" ") || command.startsWith(".ci/"))) found.add(command);
}
