// A name from the wire is a stranger's text. What comes out of here can be joined to a folder on any platform and stays inside it.
import { StreamError } from "../errors.ts";
import { utf8Bytes } from "../protocol/wire/utf8.ts";

/** Line ends and tabs are read as spaces, as a name broken in two lines is still two words. */
const BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]/g;

/**
 * Invisible characters: controls, bidirectional overrides ("exe.gpj" shown as "jpg.exe"), zero-width characters, fillers, byte order marks,
 * code points that are no characters. Emoji joiners are among them: a family becomes its members, which is still a name.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;

const LONE_SURROGATES = /\p{Cs}/gu;

/** No Windows file system takes them; ":" would also name a hidden stream of the file, and "*" and "?" are patterns in shells. */
const FORBIDDEN = /[<>:"|?*]/g;

/** Devices of Windows, in any folder and with any extension; the superscript digits count as digits there. */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])$/i;

/** The part of a name that tells what it is; ".tar" belongs to what follows it. Longer than 32 units it tells nothing. */
const EXTENSION = /(?:\.tar)?\.[^. ]{1,32}$/i;

/**
 * A sender's file name, made safe: one path component, visible, valid UTF-8 in Unicode's NFC, at most `maxBytes` bytes, and one that
 * Windows, macOS and Linux all take.
 *
 * The last component of a path is kept, whichever slash it was written with. Invisible characters go, runs of white space become one
 * space, what Windows forbids becomes "_", a device's name gets "_" before it, spaces and dots at the ends go. So do leading dots:
 * a stranger does not get to write a ".bashrc", nor a file that its owner does not see. A long name is cut before its extension.
 *
 * Rejecting instead would lose the file for a harmless "what?.txt". What nothing is left of ("..", "", "\u200b") is "unsafe-name".
 * The libraries there are (sanitize-filename, filenamify) count other lengths, keep leading dots, and put a path's folders into the name.
 */
export function safeName(name: string, maxBytes: number): string {
  if (typeof name !== "string") {
    throw new StreamError("invalid-argument", `Cannot make a file name safe as it is not a string: its type is "${typeof name}"`);
  }
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
    throw new StreamError(
      "invalid-argument",
      `Cannot make a file name safe as its limit is not a positive integer: limit is "${maxBytes}"`,
    );
  }
  const visible = name.replace(LONE_SURROGATES, "\uFFFD").replace(BREAKS, " ").replace(INVISIBLE, "").normalize("NFC");
  const plain = lastComponent(visible).replace(FORBIDDEN, "_").replace(/\s+/g, " ");
  const safe = withinBytes(unreserved(trimmed(plain)), maxBytes);
  // Cutting may have left a device's name, "console" at three bytes: the "_" before it needs room.
  const result = isReserved(safe) ? unreserved(withinBytes(safe, maxBytes - 1)) : safe;
  if (result === "" || utf8Bytes(result) > maxBytes) {
    throw new StreamError(
      "unsafe-name",
      `Cannot use the file name as nothing safe is left of it: name is ${JSON.stringify(name.slice(0, 100))}`,
    );
  }
  return result;
}

/** The longest mark, " (10000)", and a character before it. */
const LEAST_NUMBERED_BYTES = 12;

/**
 * The name for the second, third … file of that name in a folder: `report (2).pdf`. A safe name stays one, within `limit`; one
 * below 12 bytes counts as 12.
 */
export function numberedName(name: string, number: number, limit: number): string {
  const { stem, extension } = split(name);
  const mark = ` (${number})`;
  const maxBytes = Math.max(limit, LEAST_NUMBERED_BYTES);
  const kept = cut(stem, maxBytes - utf8Bytes(mark) - utf8Bytes(extension));
  if (kept !== "") return `${trimmedEnd(kept)}${mark}${extension}`;
  return `${trimmedEnd(cut(name, maxBytes - utf8Bytes(mark)))}${mark}`;
}

/** The beginning of a text that has at most so many bytes as UTF-8; a code point is kept whole or not at all. */
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
  return path.slice(start, end).replace(/^\s*[a-z]:/i, ""); // "C:name" is a path too: in the folder that drive C is in
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

// Loops, as an expression anchored at the end takes quadratic time over a long run of dots.
function trimmedEnd(name: string): string {
  let end = name.length;
  while (end > 0 && isPadding(name[end - 1])) end--;
  return name.slice(0, end);
}

function isPadding(character: string | undefined): boolean {
  return character === "." || character === " ";
}
