// Untrusted names and texts, escaped for a terminal: none may move the cursor or look like another line.

/** Control characters except tabs and line ends, and marks of text direction. */
const UNPRINTABLE = /(?![\t\n])\p{Cc}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Escapes a text for one line. */
export function printableLine(text: string): string {
  return text.replace(/[\t\n\r\u2028\u2029]+/g, " ").replace(UNPRINTABLE, "\uFFFD");
}

/** Escapes a text, line by line, and indents all but the first. */
export function printableText(text: string): string {
  return text.replace(/\r\n?|[\u2028\u2029]/g, "\n").replace(UNPRINTABLE, "\uFFFD").replaceAll("\n", "\n  ");
}

/** Makes JSON of one line. Escapes C1 controls and marks of direction too, which JSON leaves to the terminal. */
export function escapedJson(value: unknown): string {
  return JSON.stringify(value).replace(UNPRINTABLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** Formats a number of bytes: "1.2 MB". */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value.toFixed(0) : value.toFixed(1)} ${UNITS[unit]}`;
}
