// Strangers' names and texts, made safe for a terminal: none may move its cursor or pass for a line of another.

/** Controls but tabs and line ends, and the marks that turn the direction of text. */
const UNPRINTABLE = /(?![\t\n])\p{Cc}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** In one line. */
export function printableLine(text: string): string {
  return text.replace(/[\t\n\r\u2028\u2029]+/g, " ").replace(UNPRINTABLE, "\uFFFD");
}

/** In as many lines as it has, all but the first indented. */
export function printableText(text: string): string {
  return text.replace(/\r\n?|[\u2028\u2029]/g, "\n").replace(UNPRINTABLE, "\uFFFD").replaceAll("\n", "\n  ");
}

/** JSON in one line, with what a terminal would obey escaped: JSON itself leaves C1 controls and marks of direction as they are. */
export function escapedJson(value: unknown): string {
  return JSON.stringify(value).replace(UNPRINTABLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** As people write it: "1.2 MB". */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value.toFixed(0) : value.toFixed(1)} ${UNITS[unit]}`;
}
