// Safe file names. A name from the wire is untrusted; a safe name can be joined to a folder on any platform and stays inside it.
import { StreamError } from "../errors.ts";
import { utf8Bytes } from "../common/utf8.ts";

/** Line ends and tabs, which become spaces. */
const BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]/g;

/**
 * Invisible characters: controls, bidirectional overrides, zero-width characters, fillers, byte order marks, noncharacters. An override can
 * show "exe.gpj" as "jpg.exe". Emoji joiners are included: a family becomes its members, which is still a name.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;

const LONE_SURROGATES = /\p{Cs}/gu;

/** Characters that Windows forbids. ":" would also name a hidden stream of the file, and "*" and "?" are patterns in shells. */
const FORBIDDEN = /[<>:"|?*]/g;

/** Device names of Windows, reserved in any folder and with any extension; superscript digits count as digits. */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])$/i;

/** Extension of a name, of at most 32 UTF-16 units; ".tar" belongs to the extension after it. */
const EXTENSION = /(?:\.tar)?\.[^. ]{1,32}$/i;

/**
 * Makes a sender's file name safe: one visible path component, in NFC, of at most `maxBytes` bytes of UTF-8. Windows, macOS and Linux take it.
 *
 * Keeps the last component of a path, with either slash. Removes invisible characters, and spaces and dots at both ends. Runs of white space
 * become one space, and characters that Windows forbids become "_". A device's name gets "_" before it. Without leading dots a sender can
 * write no ".bashrc" and no hidden file. A long name is cut before its extension.
 *
 * Refusing such names would lose the file for a harmless "what?.txt". A name without a safe character ("..", "", "\u200b") is "unsafe-name".
 * The libraries sanitize-filename and filenamify count other lengths, keep leading dots, and put a path's folders into the name.
 */
export function safeName(name: string, maxBytes: number): string {
  if (typeof name !== "string") {
    throw new StreamError(
      "invalid-argument",
      `Cannot make a file name safe as it must be a string: its type is "${typeof name}"`,
    );
  }
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
    throw new StreamError(
      "invalid-argument",
      `Cannot make a file name safe as its limit must be a positive integer: limit is "${maxBytes}"`,
    );
  }
  const visible = name.replace(LONE_SURROGATES, "\uFFFD").replace(BREAKS, " ").replace(INVISIBLE, "").normalize("NFC");
  const plain = lastComponent(visible).replace(FORBIDDEN, "_").replace(/\s+/g, " ");
  const safe = withinBytes(unreserved(trimmed(plain)), maxBytes);
  // Cutting may leave a device's name, such as "console" at three bytes; the "_" before it needs room.
  const result = isReserved(safe) ? unreserved(withinBytes(safe, maxBytes - 1)) : safe;
  if (result === "" || utf8Bytes(result) > maxBytes) {
    throw new StreamError(
      "unsafe-name",
      `Cannot use the file name as it must have a safe character: name is ${JSON.stringify(name.slice(0, 100))}`,
    );
  }
  return result;
}

/** Length of the longest mark, " (10000)", and of a character before it, in bytes. */
const MIN_NUMBERED_BYTES = 12;

/** Makes the name of the second, third … file of one name: `report (2).pdf`. A safe name stays safe; a `limit` below 12 bytes counts as 12. */
export function numberedName(name: string, number: number, limit: number): string {
  const { stem, extension } = split(name);
  const mark = ` (${number})`;
  const maxBytes = Math.max(limit, MIN_NUMBERED_BYTES);
  const kept = cut(stem, maxBytes - utf8Bytes(mark) - utf8Bytes(extension));
  if (kept !== "") return `${trimmedEnd(kept)}${mark}${extension}`;
  return `${trimmedEnd(cut(name, maxBytes - utf8Bytes(mark)))}${mark}`;
}

/** Cuts a text to at most `maxBytes` bytes of UTF-8, at a code point. */
export function cut(text: string, maxBytes: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += utf8Bytes(character);
    if (bytes > maxBytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}

function lastComponent(path: string): string {
  let end = path.length;
  while (end > 0 && isSlash(path[end - 1])) end--;
  let start = end;
  while (start > 0 && !isSlash(path[start - 1])) start--;
  return path.slice(start, end).replace(/^\s*[a-z]:/i, ""); // "C:name" is a path too, relative to the current folder of drive C
}

function isSlash(character: string | undefined): boolean {
  return character === "/" || character === "\\";
}

function isReserved(name: string): boolean {
  const dot = name.indexOf(".");
  return RESERVED.test(trimmedEnd(dot < 0 ? name : name.slice(0, dot)));
}

function unreserved(name: string): string {
  return isReserved(name) ? `_${name}` : name;
}

function withinBytes(name: string, maxBytes: number): string {
  if (utf8Bytes(name) <= maxBytes) return name;
  const { stem, extension } = split(name);
  const kept = trimmedEnd(cut(stem, maxBytes - utf8Bytes(extension)));
  return kept === "" ? trimmedEnd(cut(name, maxBytes)) : kept + extension;
}

function split(name: string): { stem: string; extension: string } {
  const extension = EXTENSION.exec(name)?.[0] ?? "";
  return { stem: name.slice(0, name.length - extension.length), extension };
}

function trimmed(name: string): string {
  let start = 0;
  while (start < name.length && isPadding(name[start])) start++;
  return trimmedEnd(name.slice(start));
}

// A loop, as a regular expression anchored at the end takes quadratic time over a long run of dots.
function trimmedEnd(name: string): string {
  let end = name.length;
  while (end > 0 && isPadding(name[end - 1])) end--;
  return name.slice(0, end);
}

function isPadding(character: string | undefined): boolean {
  return character === "." || character === " ";
}
